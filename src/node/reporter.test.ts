import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, toHex } from '#primitives'
import {
  type Declaration,
  encodeTransaction,
  type Report,
  type Statement,
  type Transaction,
  tryDecodeTransaction,
} from '#records'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { maxReportBytes } from './mempool.ts'
import { type Answers, Reporter } from './reporter.ts'

const instanceOf = (byte: number): Hex => toHex(new Uint8Array(32).fill(byte))
const digestOf = (byte: number): Hex => toHex(new Uint8Array(32).fill(byte))

/** A point of the curve: its generator. */
const point: Hex = '0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'

/** Answers whose view of L1 is set by the test, and whose digests are made up. */
function answersWith(view: { digest: Hex }, overrides: Partial<Answers> = {}): Answers {
  return {
    allocationOf: () => undefined,
    resultOf: () => undefined,
    digestOf: () => undefined,
    nonces: (fromIndex, count) =>
      Array.from({ length: count }, (_, i) => ({
        index: fromIndex + i,
        hiding: point,
        binding: point,
      })),
    shareOf: () => undefined,
    viewAfter: (events) => ({ block: 1, events, digest: view.digest, fork: false }),
    ...overrides,
  }
}

/** One operator's reporter over a network of ledgers; what it sends waits in `sent`. */
function setUp(
  network: LedgerNetwork,
  instance: Hex,
  overrides: Partial<Answers> = {},
  declares?: Declaration,
) {
  const sent: Uint8Array[] = []
  const supersededBy: Hex[] = []
  const view = { digest: digestOf(1) }
  const state = { refuses: '' }
  let sequence = 0
  const [operator] = network.operators
  assert(operator)
  const reporter = new Reporter({
    operator: operator.id,
    instance,
    answers: answersWith(view, overrides),
    nextSequence: (atLeast) => {
      sequence = Math.max(sequence + 1, atLeast)
      return sequence
    },
    sign: (_, digest) =>
      Promise.resolve({
        ok: true,
        signature: idealCrypto.signDigest(digest, operator.ledgerSecret),
      }),
    submit: async (bytes) => {
      if (state.refuses) return { ok: false, reason: state.refuses }
      sent.push(bytes)
      return { ok: true }
    },
    declares,
    onSuperseded: (by) => supersededBy.push(by),
    nowMs: () => network.timeMs,
    logger: silentLogger,
  })
  const speak = () => reporter.speak(network.ledger, network.height)
  return { sent, supersededBy, view, state, speak }
}

const decoded = (bytes: Uint8Array | undefined): Transaction & { kind: 'report' } => {
  const transaction = bytes && tryDecodeTransaction(bytes)
  assert(transaction?.kind === 'report')
  return transaction
}
const reportOf = (bytes: Uint8Array | undefined): Report => decoded(bytes).report

test('reporter: says what is new once, and again only after some blocks', async () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const { sent, speak } = setUp(network, instanceOf(1))
  await speak()
  await speak()
  assert.equal(sent.length, 1)
  for (let i = 0; i < 4; i++) network.block()
  await speak()
  assert.equal(sent.length, 1)
  network.block()
  await speak()
  assert.deepEqual(sent[1], sent[0], 'lost, so the same again')
})

test('reporter: is silent when the ledger holds what it has to say', async () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const { sent, speak } = setUp(network, instanceOf(1))
  await speak()
  assert.deepEqual(network.block([decoded(sent[0])]), [{ ok: true }])
  await speak()
  assert.equal(sent.length, 1)
})

test('reporter: declares what it is until the ledger holds just that', async () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const declares = { capacity: 40, costs: [], group: 'acme' }
  const { sent, speak } = setUp(network, instanceOf(1), {}, declares)
  await speak()
  network.block([decoded(sent[0])])
  assert.deepEqual(network.operator(1)?.declared, declares)
  await speak()
  assert.equal(sent.length, 1)
  const other: Statement = { kind: 'declare', declaration: { ...declares, group: '' } }
  network.block([network.report(1, [other], { sequence: network.timeMs + 1_000 })])
  await speak()
  assert.deepEqual(reportOf(sent.at(-1)).statements, [{ kind: 'declare', declaration: declares }])
})

test('reporter: other content takes a higher sequence, calls that overlap do not mix', async () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const { sent, view, speak } = setUp(network, instanceOf(1))
  const first = speak()
  view.digest = digestOf(2)
  await Promise.all([first, speak(), speak()])
  const sequences = sent.map((bytes) => reportOf(bytes).sequence)
  assert.equal(sequences.length, 2)
  assert((sequences[1] ?? 0) > (sequences[0] ?? 0))
})

test('reporter: what was refused is said again in the next block, with another sequence', async () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const { sent, state, speak } = setUp(network, instanceOf(1))
  state.refuses = 'StaleSequence'
  await speak()
  state.refuses = ''
  await speak()
  assert.equal(sent.length, 0, 'not twice in one block')
  network.block()
  await speak()
  assert.equal(sent.length, 1)
})

test('reporter: the same content after its sequence was used up takes another', async () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const { sent, view, speak } = setUp(network, instanceOf(1))
  await speak()
  network.block([decoded(sent[0])])
  view.digest = digestOf(2)
  await speak()
  network.block([decoded(sent[1])])
  view.digest = digestOf(1)
  await speak()
  assert.equal(sent.length, 3)
  assert.deepEqual(network.block([decoded(sent[2])]), [{ ok: true }])
})

test('reporter: the older of two copies falls silent, whoever speaks last', async () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const older = setUp(network, instanceOf(1))
  await older.speak()
  network.block([decoded(older.sent[0])])
  const newer = setUp(network, instanceOf(2))
  older.view.digest = digestOf(7)
  await newer.speak()
  await older.speak()
  // Both reports are on their way: the newer copy is heard first, the older one after it.
  network.block([decoded(newer.sent[0])])
  await newer.speak()
  await older.speak()
  assert.deepEqual(older.supersededBy, [instanceOf(2)])
  network.timeMs += 1
  network.block([network.report(1, [], { instance: instanceOf(1), sequence: network.timeMs })])
  await newer.speak()
  await older.speak()
  assert.deepEqual(newer.supersededBy, [], 'an earlier copy is no news')
  assert.equal(older.sent.length, 2, 'nothing more from the older')
  const last = decoded(newer.sent.at(-1))
  assert.deepEqual(network.block([last]), [{ ok: true }])
  assert.equal(network.operator(1)?.instance, instanceOf(2))
})

test('reporter: says the most urgent first when there is too much for one report', async () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  network.block(Array.from({ length: 400 }, () => network.task()))
  for (let drawn = 0; drawn < 8; drawn++) network.block() // a block draws only so many
  const { sent, speak } = setUp(network, instanceOf(1), { digestOf: () => digestOf(3) })
  await speak()
  const { statements } = reportOf(sent[0])
  assert.deepEqual(
    statements.slice(0, 3).map(({ kind }) => kind),
    ['nonces', 'view', 'commit'],
  )
  assert.equal(statements.length, 256)
  assert(encodeTransaction(decoded(sent[0])).length <= maxReportBytes)
})
