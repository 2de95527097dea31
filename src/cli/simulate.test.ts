import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readScenario } from '#simulation'
import { runCli } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'nodeop simulate '))
after(() => rmSync(folder, { recursive: true }))

const small = {
  epochs: 2,
  epochMs: 2_000,
  parameters: { allocationLeadMs: 500 },
  operators: [{ name: 'op', count: 4 }],
  services: [{ name: 'price', demand: 4 }],
}

/** Writes a scenario and simulates it. */
async function simulate(content: string, ...options: string[]) {
  writeFileSync(join(folder, 'net.json'), content)
  const out: string[] = []
  const err: string[] = []
  const drawn: string[] = []
  const code = await runCli(['simulate', 'net.json', ...options], {
    io: {
      write: (line) => out.push(line),
      error: (line) => err.push(line),
      redraw: (text) => drawn.push(text),
    },
    env: {},
    cwd: folder,
  })
  return { code, out: out.join('\n'), err: err.join('\n'), drawn: drawn.join('') }
}

test('simulate: prints what became of everyone, and leaves a report and the figures', async () => {
  const { code, out, err, drawn } = await simulate(JSON.stringify(small), '--out', 'first')
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^net\.json: 2 epochs, seed 1\n\noperator +share at the end +work/)
  for (const name of ['op-1', 'op-4', 'price']) assert.match(out, new RegExp(`^${name} `, 'm'))
  assert.match(out, /Report: first\/report\.html$/)
  assert.match(drawn, /█ 100 %, epoch 2 of 2 \n$/)
  assert.match(readFileSync(join(folder, 'first', 'report.html'), 'utf8'), /<\/html>\n$/)
  const result = JSON.parse(readFileSync(join(folder, 'first', 'result.json'), 'utf8'))
  assert.equal(result.runs[0].epochs.length, 2)
  await simulate(JSON.stringify(small), '--out', 'second')
  for (const file of ['report.html', 'result.json'])
    assert.deepEqual(
      readFileSync(join(folder, 'first', file)),
      readFileSync(join(folder, 'second', file)),
    )
})

test('simulate: --json is one line, --seeds lives it through several times', async () => {
  const { code, out } = await simulate(JSON.stringify(small), '--json', '--seeds', '2')
  assert.equal(code, 0)
  const summary = JSON.parse(out)
  assert.deepEqual(summary.seeds, [1, 2])
  assert.equal(summary.operators.length, 4)
  assert.equal(summary.report, join('simulation', 'report.html'))
})

test('simulate: what cannot be is one line, and leaves nothing behind', async () => {
  const cases = [
    ['{', 1, /^nodeop: net\.json: is no JSON: /],
    ['[]', 1, /^nodeop: net\.json: the file: must be an object$/],
    [JSON.stringify({ ...small, epochs: -1 }), 1, /^nodeop: net\.json: epochs: must be a whole/],
    [JSON.stringify(small).replace('"demand":4', '"demand":1e999'), 1, /demand: must be a finite/],
  ] as const
  for (const [content, exit, words] of cases) {
    const { code, out, err } = await simulate(content, '--out', 'never')
    assert.deepEqual([code, out], [exit, ''])
    assert.match(err, words)
  }
  assert(!readdirSync(folder).includes('never'))
  const usage = await simulate(JSON.stringify(small), '--seeds', '0')
  assert.equal(usage.code, 2)
  assert.match(usage.err, /--seeds "0" is not allowed; allowed: a whole number from 1 to 1000$/)
  const file = await simulate(JSON.stringify(small), '--out', 'net.json')
  assert.equal(file.code, 1)
  assert.match(file.err, /^nodeop: cannot write to net\.json: EEXIST$/)
  const missing = await runCli(['simulate', 'absent.json'], {
    io: {
      write: () => {},
      error: (line) => assert.match(line, /cannot read absent\.json: ENOENT/),
    },
    env: {},
    cwd: folder,
  })
  assert.equal(missing, 1)
})

test('simulate: every example is a scenario', () => {
  const examples = join(import.meta.dirname, '../../examples/simulation')
  const files = readdirSync(examples)
  assert(files.length > 0)
  for (const file of files)
    readScenario(JSON.parse(readFileSync(join(examples, file), 'utf8')), file)
})
