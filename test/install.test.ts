// How run.mjs installs, with an npm that writes what it was told instead of fetching anything.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const root = join(import.meta.dirname, '..')
const base = mkdtempSync(join(tmpdir(), 'nodeop install '))
after(() => rmSync(base, { recursive: true, force: true }))

/** Records its arguments, makes a package, and waits for a word when a port is given. */
const npm = `import { appendFileSync, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n')
mkdirSync('node_modules/made', { recursive: true })
const port = Number(process.env.TEST_NPM_PORT)
const finish = () => process.exit(Number(process.env.TEST_NPM_EXIT ?? 0))
if (port) connect(port, '127.0.0.1').on('data', finish).on('error', () => process.exit(1))
else finish()
`
const program = "console.log('ran', process.argv.slice(2).join(), 'in', process.env.NODEOP_CWD)\n"

type Project = { readonly folder: string; readonly log: () => string[] }

function createProject(name: string): Project {
  const folder = join(base, name)
  for (const path of ['src/cli', 'test', 'npm']) mkdirSync(join(folder, path), { recursive: true })
  cpSync(join(root, 'run.mjs'), join(folder, 'run.mjs'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  writeFileSync(join(folder, 'npm/npm-cli.js'), npm)
  writeFileSync(join(folder, 'src/cli/main.ts'), program)
  writeFileSync(join(folder, 'test/check.ts'), program)
  const log = join(folder, 'npm.log')
  return {
    folder,
    log: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  }
}

type Run = {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number; output: string }>
}

function start(project: Project, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const { npm_package_json: _, NODE_COMPILE_CACHE: __, ...outer } = process.env
  const child = spawn(process.execPath, [join(project.folder, 'run.mjs'), ...args], {
    env: { ...outer, npm_execpath: join(project.folder, 'npm/npm-cli.js'), ...env },
    cwd: base,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  return { child, ended: once(child, 'close').then(([code]) => ({ code, output })) }
}

/** A place where each fake npm says that it has begun, and waits for a word to finish. */
async function createGate(): Promise<{
  server: Server
  port: string
  began: () => Promise<Socket>
}> {
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  return { server, port, began: async () => (await once(server, 'connection'))[0] as Socket }
}

test('install: once for running, again for testing, and then no more', async () => {
  const project = createProject('by need')
  const first = await start(project, ['nodeop', 'a', 'b']).ended
  assert.match(first.output, new RegExp(`up to 51 MB[^>]*ran a,b in ${base}\n$`))
  assert.equal(first.code, 0)
  await start(project, ['check']).ended
  for (const name of ['check', 'nodeop', 'check'])
    assert.doesNotMatch((await start(project, [name]).ended).output, /Installing/)
  const [running, testing, ...more] = project.log()
  assert.match(running ?? '', /--ignore-scripts.*--omit=dev --workspaces=false$/)
  assert.match(testing ?? '', /--include=dev$/)
  assert.deepEqual(more, [])
})

test('install: a new lockfile installs again, and never less than before', async () => {
  const project = createProject('new lockfile')
  await start(project, ['check']).ended
  writeFileSync(join(project.folder, 'package-lock.json'), '{"changed":true}')
  await start(project, ['nodeop']).ended
  assert.equal(project.log().length, 2)
  assert.match(project.log()[1] ?? '', /--include=dev$/)
})

test('install: two at once take turns, and the second has nothing left to do', async () => {
  const project = createProject('two at once')
  const { server, port, began } = await createGate()
  const first = start(project, ['nodeop'], { TEST_NPM_PORT: port })
  const npmOfFirst = await began()
  const second = start(project, ['nodeop'], { TEST_NPM_PORT: port })
  await once(second.child.stderr as NodeJS.ReadableStream, 'data') // it says that it waits
  npmOfFirst.write('finish')
  assert.equal((await first.ended).code, 0)
  const { code, output } = await second.ended
  assert.match(output, /^Waiting until process \d+ has installed[\s\S]*ran/)
  assert.equal(code, 0)
  assert.equal(project.log().length, 1)
  server.close()
})

test('install: after one that was killed, what it left is replaced', async () => {
  const project = createProject('killed')
  const { server, port, began } = await createGate()
  const killed = start(project, ['nodeop'], { TEST_NPM_PORT: port })
  const npmOfKilled = await began()
  const npmEnded = once(npmOfKilled, 'close')
  killed.child.kill('SIGTERM')
  assert.equal((await killed.ended).code, 143)
  await npmEnded
  writeFileSync(join(project.folder, 'node_modules/made/half'), '')
  const next = await start(project, ['nodeop']).ended
  assert.match(next.output, /An earlier install was interrupted[\s\S]*ran/)
  assert.ok(!existsSync(join(project.folder, 'node_modules/made/half')))
  server.close()
})

test('install: when npm fails, what was there stays and the next run tries again', async () => {
  const project = createProject('npm fails')
  await start(project, ['nodeop']).ended
  writeFileSync(join(project.folder, 'node_modules/made/kept'), '')
  writeFileSync(join(project.folder, 'package-lock.json'), '{"changed":true}')
  const failed = await start(project, ['nodeop'], { TEST_NPM_EXIT: '7' }).ended
  assert.match(failed.output, /npm install failed/)
  assert.equal(failed.code, 1)
  const next = await start(project, ['nodeop']).ended
  assert.match(next.output, /^Installing[\s\S]*ran/)
  assert.ok(existsSync(join(project.folder, 'node_modules/made/kept')))
})

test('run: an unknown script is bad usage, and a program’s exit code is ours', async () => {
  const project = createProject('exit codes')
  const unknown = await start(project, ['nonsense']).ended
  assert.match(unknown.output, /unknown script "nonsense"; allowed: devnet, /)
  assert.equal(unknown.code, 2)
  writeFileSync(join(project.folder, 'test/check.ts'), 'process.exit(3)\n')
  assert.equal((await start(project, ['check']).ended).code, 3)
})
