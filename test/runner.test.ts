import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { constants, getPriority, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'

const project = mkdtempSync(join(tmpdir(), 'nodeop runner '))
after(() => rmSync(project, { recursive: true, force: true }))

const importTest = "import { test } from 'node:test'\n"
const lowered = Math.min(constants.priority.PRIORITY_LOW, getPriority() + 5)
const priorityTest = (name: string, expected: number): string => `${importTest}
import assert from 'node:assert/strict'
import { getPriority } from 'node:os'
test('${name}', () => assert.equal(getPriority(), ${expected}))
`
const tests: Readonly<Record<string, string>> = {
  'src/good.test.ts': `${importTest}test('good', () => {})\ntest('more', () => {})\n`,
  'src/later.test.ts': `${importTest}test.skip('later', () => {})\n`,
  'src/bad.test.ts': `${importTest}test('bad: on purpose', () => { throw new Error('planted') })\n`,
  'src/crash.test.ts': "throw new Error('before any test')\n",
  'src/computing.test.ts': priorityTest('computing', lowered),
  'test/e2e/networking.test.ts': priorityTest('networking', getPriority()),
  'test/e2e/endless.test.ts': `${importTest}import { connect } from 'node:net'
test('endless', () => new Promise(() => connect(Number(process.env.TEST_PORT), '127.0.0.1')))
`,
}
for (const name of ['main.ts', 'counts.ts', 'stage.ts', 'stages.ts', 'processes.ts'])
  cpSync(join(import.meta.dirname, name), join(project, 'test', name))
for (const [path, text] of Object.entries({ 'package.json': '{"type":"module"}', ...tests })) {
  mkdirSync(dirname(join(project, path)), { recursive: true })
  writeFileSync(join(project, path), text)
}

/** Starts the runner as `npm test -- NAMES` does. */
function startRunner(...names: readonly string[]) {
  // Else it reports to this run, and keeps what it has compiled of a project that is gone soon.
  const { NODE_TEST_CONTEXT: _, NODE_COMPILE_CACHE: __, ...env } = process.env
  const child = spawn(process.execPath, [join(project, 'test/main.ts'), ...names], { env })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  return { child, ended: once(child, 'close').then(([code]) => ({ code, output })) }
}

test('npm test: a name runs the files that have it, and closes with the counts', async () => {
  const { code, output } = await startRunner('good', 'later').ended
  assert.match(output, /\n2 passed, 0 failed, 1 skipped\n$/)
  assert.equal(code, 0)
})

test('npm test: a failing test is shown and fails the run', async () => {
  const { code, output } = await startRunner('bad', 'good').ended
  assert.match(output, /bad: on purpose[\s\S]*planted/)
  assert.match(output, /\n2 passed, 1 failed, 0 skipped\n$/)
  assert.equal(code, 1)
})

test('npm test: a file that crashes before its tests fails the run', async () => {
  const { code, output } = await startRunner('crash').ended
  assert.match(output, /before any test[\s\S]*\n0 passed, 1 failed, 0 skipped\n$/)
  assert.equal(code, 1)
})

test('npm test: a name that no file has is bad usage', async () => {
  const { code, output } = await startRunner('nothing-like-it').ended
  assert.match(output, /no test file has nothing-like-it in its name/)
  assert.equal(code, 2)
})

test('npm test: what computes gives way to networks', async () => {
  const { code, output } = await startRunner('computing', 'networking').ended
  assert.match(output, /\n2 passed, 0 failed, 0 skipped\n$/)
  assert.equal(code, 0)
})

test('npm test: interrupted, it ends with what it started', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.env.TEST_PORT = String((server.address() as AddressInfo).port)
  const { child, ended } = startRunner('endless')
  const [connection] = (await once(server, 'connection')) as [Socket]
  const lost = once(connection.on('error', () => {}).resume(), 'close')
  child.kill('SIGINT')
  const { code, output } = await ended
  assert.doesNotMatch(output, /passed.*\n$/)
  assert.equal(code, 130)
  await lost // the test's own process is gone
  server.close()
})
