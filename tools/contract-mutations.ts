// Plants one fault after another into a copy of contracts/src and runs the contract tests on it.
// Faults that they do not notice are named, and the exit code is 1. Takes ten minutes.
//   node tools/contract-mutations.ts [WORD]      only the faults of which the text holds WORD
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { foundryBinary } from '../test/support/foundry.ts'
import { root } from './compile.ts'

/** File of contracts/src, the text that stands there once, and what replaces it. */
type Mutation = readonly [file: string, from: string, to: string]

const mutations: readonly Mutation[] = [
  ['Frost.sol', 'z == 0 || z >= ORDER', 'z == 0'],
  ['Frost.sol', 'x != 0 && x < ORDER && parity < 2', 'x != 0 && parity < 2'],
  ['Frost.sol', 'x != 0 && x < ORDER', 'x < ORDER'],
  ['Frost.sol', ' && parity < 2', ''],
  ['Frost.sol', 'x >= FIELD || y >= FIELD', 'y >= FIELD'],
  ['Frost.sol', 'x >= FIELD || y >= FIELD', 'x >= FIELD'],
  ['Frost.sol', 'e == 0 || e >= ORDER', 'e == 0'],
  ['Frost.sol', '27 + parity', '27'],
  ['Frost.sol', 'add(2, and(ry, 1))', '2'],
  ['Frost.sol', 'add(2, and(parity, 1))', '2'],
  ['Frost.sol', '0x003000', '0x002000'],
  ['Inclusion.sol', 'if (index >= size) return false;', ''],
  ['Inclusion.sol', 'node & 1 == 1 || node == last', 'node & 1 == 1'],
  ['Inclusion.sol', 'last == 0 && hash == root', 'hash == root'],
  ['Windows.sol', 'block.timestamp < checkpoint.start', 'block.timestamp + 1 < checkpoint.start'],
  ['Windows.sol', 'place <= number', 'place < number'],
  ['Windows.sol', 'number >= end', 'number + 1 >= end'],
  ['Credits.sol', 'credit - amount + 1', 'credit - amount'],
  ['Credits.sol', 'if (!sent) revert ClaimFailed(account);', ''],
  ['SubmissionPermits.sol', 'uint256(s) > HALF_ORDER', 'false'],
  ['Outbox.sol', 'signer == address(0) || !isOperators', '!isOperators'],
  ['Outbox.sol', 'if (msg.sender != sender)', 'if (false)'],
  ['Outbox.sol', 'block.timestamp > deadline', 'false'],
  ['Outbox.sol', 'if (msg.sender != _submitters[operator])', 'if (false)'],
  ['Outbox.sol', 'checkpoint.size < _lastSize', 'false'],
  ['Outbox.sol', '_lastSize = checkpoint.size;', ''],
  ['Outbox.sol', '!Windows.isOpenTo(checkpoint.submitters, operator, window)', 'false'],
  ['Outbox.sol', '!isRecorded(index, size, root)', 'false'],
  ['Outbox.sol', 'if (isExecuted(leaf.index)) revert', 'if (false) revert'],
  ['Outbox.sol', 'if (isExecuted(leaves[i].index)) continue;', ''],
  ['Outbox.sol', 'leaf.kind != KIND_RESULT', 'false'],
  ['Outbox.sol', '!verifyInclusion(leaf, siblings, size, root)', 'false'],
  ['Outbox.sol', 'block.chainid, address(this)));', 'block.chainid, address(0)));'],
  ['Outbox.sol', '_ledgers[account.operator] != address(0)', 'false'],
  ['ServiceManager.sol', 'gasleft() * 63 / 64 < gasLimit + CALL_GAS', 'gasleft() < gasLimit'],
  ['ServiceManager.sol', 'consumer.code.length == 0) return', 'false) return'],
  ['ServiceManager.sol', '_funds[service] = available - pay;', ''],
  ['ServiceManager.sol', 'if (available < pay) return;', 'if (available < pay) pay = available;'],
  ['ServiceManager.sol', 'if (msg.sender != _outbox)', 'if (false)'],
  ['PriceConsumer.sol', '_results[leaf.subject].time != 0', 'false'],
  ['PriceConsumer.sol', 'leafIndex > than.leafIndex', 'false'],
  ['PriceConsumer.sol', 'if (msg.sender != _manager)', 'if (false)'],
]

const word = process.argv[2] ?? ''
const chosen = mutations.filter((mutation) => mutation.join(' ').includes(word))
const copy = mkdtempSync(join(tmpdir(), 'nodeop-mutations-'))
try {
  for (const path of ['contracts', 'foundry.toml'])
    cpSync(join(root, path), join(copy, path), { recursive: true })
  if (!testsPass()) throw new Error('the tests fail without any fault')
  const unnoticed = chosen.filter(isUnnoticed)
  process.stdout.write(`${chosen.length - unnoticed.length} of ${chosen.length} faults noticed\n`)
  process.exitCode = unnoticed.length > 0 ? 1 : 0
} finally {
  rmSync(copy, { recursive: true })
}

function isUnnoticed([file, from, to]: Mutation): boolean {
  const path = join(copy, 'contracts', 'src', file)
  const original = readFileSync(path, 'utf8')
  if (original.split(from).length !== 2) throw new Error(`${file} does not hold once: ${from}`)
  writeFileSync(path, original.replace(from, to))
  const unnoticed = testsPass()
  writeFileSync(path, original)
  process.stdout.write(`${unnoticed ? 'UNNOTICED' : 'noticed'}  ${file}: ${from} → ${to}\n`)
  return unnoticed
}

function testsPass(): boolean {
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`
  const solc = join(root, 'tools', 'solc-launcher.cjs')
  const run = spawnSync(
    foundryBinary('forge'),
    ['test', '--root', copy, '--use', solc, '--fail-fast'],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      env: { ...process.env, PATH },
    },
  )
  if (/Compiler run failed/.test(`${run.stdout}${run.stderr}`)) throw new Error(run.stderr)
  return run.status === 0
}
