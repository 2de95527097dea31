import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Hex, toHex } from '#primitives'
import {
  allocationProposalCodec,
  chainL1Digest,
  emptyL1Digest,
  encode,
  encodeTransaction,
  type L1Event,
  maxAllocationClasses,
  maxAllocationOperators,
  maxProposalBytes,
  maxResources,
  type Statement,
  type Transaction,
  tryDecodeTransaction,
  type Verdict,
} from '#records'
import { idealCrypto, type LedgerCrypto, realCrypto } from '../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import { Mempool, maxReportBytes, waitingLimits } from './mempool.ts'

const kindsOf = (list: readonly Uint8Array[]) => list.map((one) => tryDecodeTransaction(one)?.kind)
const codeOf = (verdict: Verdict): string => (verdict.ok ? 'ok' : verdict.reason)

/** A mempool over a network of ledgers. */
function setUp(crypto: LedgerCrypto = realCrypto) {
  const network = new LedgerNetwork(4, {}, crypto)
  const dropped = new Map<Hex, string>()
  const mempool = new Mempool({
    environment: network.environment,
    pools: new Map(),
    nowMs: () => network.timeMs,
    onDropped: (id, reason) => dropped.set(id, reason),
  })
  const add = async (transaction: Transaction) =>
    codeOf(await mempool.add(transaction, encodeTransaction(transaction), network.ledger))
  const propose = (maxBytes = 1_000_000) => {
    const block = {
      height: network.height + 1,
      timeMs: network.timeMs + 200,
      proposer: '0x' as Hex,
    }
    return mempool.propose(network.ledger, block, maxBytes)
  }
  const commit = async (transactions: readonly Transaction[] = [], stepMs = 200) => {
    const results = network.block(transactions, stepMs)
    const block = { height: network.height }
    await mempool.committed({ block, transactions, results, after: network.ledger })
  }
  return { network, mempool, dropped, add, propose, commit }
}

const viewOf = (block: number): Statement => ({
  kind: 'view',
  view: { block, events: 1, digest: toHex(new Uint8Array(32).fill(block)), fork: false },
})

test('mempool: reports come first, short ones before long ones, then tasks', async () => {
  const { network, add, propose } = setUp()
  assert.equal(await add(network.task()), 'ok')
  assert.equal(await add(network.report(1, [viewOf(1), viewOf(2), viewOf(3)])), 'ok')
  assert.equal(await add(network.report(2, [viewOf(1)])), 'ok')
  const chosen = propose()
  assert.deepEqual(kindsOf(chosen), ['report', 'report', 'task'])
  assert((chosen[0]?.length ?? 0) < (chosen[1]?.length ?? 0))
  assert.deepEqual(kindsOf(propose(chosen[0]?.length)), ['report'])
})

test('mempool: a forged report with a huge sequence does not take the slot', async () => {
  const { network, mempool, add } = setUp()
  const { report } = network.report(1, [viewOf(1)], { sequence: Number.MAX_SAFE_INTEGER })
  const { signature } = network.report(2, [viewOf(1)])
  assert.equal(await add({ kind: 'report', report, signature }), 'BadSignature')
  assert.equal(mempool.size, 0)
  assert.equal(await add(network.report(1, [viewOf(1)])), 'ok')
})

test('mempool: reports of another network, of nobody, and old ones are refused', async () => {
  const { network, add, commit } = setUp()
  const other = network.report(1, [viewOf(1)], { network: toHex(new Uint8Array(32)) })
  assert.equal(await add(other), 'WrongNetwork')
  const { report, signature } = network.report(1, [viewOf(1)])
  const nobody = { kind: 'report', report: { ...report, operator: 9 }, signature } as const
  assert.equal(await add(nobody), 'UnknownOperator')
  const taken = network.report(1, [viewOf(1)])
  await commit([taken])
  assert.equal(await add(taken), 'StaleSequence')
})

test('mempool: a newer report replaces the older, the same one waits already', async () => {
  const { network, mempool, add } = setUp()
  const older = network.report(1, [viewOf(1)])
  const newer = network.report(1, [viewOf(2)])
  assert.deepEqual(
    [await add(older), await add(newer), await add(newer), await add(older)],
    ['ok', 'ok', 'AlreadyWaiting', 'StaleSequence'],
  )
  assert.equal(mempool.size, 1)
})

test('mempool: it holds what waits, and no more what was replaced or is in a block', async () => {
  const { network, mempool, add, commit } = setUp()
  const holds = (transaction: Transaction) =>
    mempool.holds(transaction, encodeTransaction(transaction), network.ledger)
  const [older, newer, task] = [
    network.report(1, [viewOf(1)]),
    network.report(1, [viewOf(2)]),
    network.task(),
  ]
  assert.deepEqual([older, newer, task].map(holds), [false, false, false])
  for (const one of [older, newer, task]) assert.equal(await add(one), 'ok')
  assert.deepEqual([older, newer, task].map(holds), [false, true, true])
  await commit([newer, task])
  assert.deepEqual([older, newer, task].map(holds), [false, false, false])
})

test('mempool: a report may answer a block that is not committed here yet', async () => {
  const { network, add, propose } = setUp()
  const share: Statement = {
    kind: 'share',
    checkpoint: 1,
    attempt: 1,
    share: toHex(new Uint8Array(32)),
  }
  await network.block([network.report(1, [])])
  assert.equal(await add(network.report(1, [share])), 'ok')
  assert.deepEqual(propose(), [])
})

test('mempool: a report that no block takes leaves after a while', async () => {
  const { network, mempool, add, commit } = setUp()
  await commit([network.report(1, [viewOf(1)])])
  assert.equal(await add(network.report(1, [viewOf(1)])), 'ok')
  for (let i = 0; i < 7; i++) await commit()
  assert.equal(mempool.size, 1)
  await commit()
  assert.deepEqual([mempool.size, mempool.bytes], [0, 0])
})

test('mempool: a report larger than its share of a block is refused', async () => {
  const { network, add } = setUp()
  const result = new Uint8Array(4096)
  const reveal: Statement = {
    kind: 'reveal',
    task: toHex(new Uint8Array(32)),
    attempt: 1,
    result,
    salt: toHex(new Uint8Array(32)),
  }
  const statements = Array.from({ length: Math.ceil(maxReportBytes / 4096) }, () => reveal)
  assert.equal(await add(network.report(1, statements)), 'ReportTooLarge')
  assert.equal(await add(network.report(1, statements.slice(8))), 'ok')
})

test('mempool: a report holds the largest allocation that can be proposed', async () => {
  const { network, add } = setUp()
  const [operators, classes] = [maxAllocationOperators, maxAllocationClasses]
  const proposal = {
    epoch: 1,
    start: new Int32Array(operators + 1),
    entries: new Int32Array(operators * classes),
    shortfall: new Int32Array(classes),
    capacityPrice: new Int32Array(maxResources * operators),
    demandPrice: new Int32Array(classes),
    stakePrice: new Int32Array(classes),
    groupPrice: new Int32Array(operators * classes),
  }
  const bytes = encode(allocationProposalCodec, proposal).length
  assert(bytes <= maxProposalBytes && bytes > maxProposalBytes - 64, `${bytes}`)
  assert.equal(await add(network.report(1, [{ kind: 'allocation', proposal }])), 'ok')
})

test('mempool: tasks are bounded in bytes, and randomness is no business of a mempool', async () => {
  const { network, mempool, add } = setUp(idealCrypto)
  const payload = new Uint8Array(4000).fill(65)
  let count = 0
  while ((await add(network.task({ service: 'text', payload }))) === 'ok') count += 1
  assert(count * 4000 <= waitingLimits.bytes && (count + 2) * 4200 > waitingLimits.bytes)
  assert.equal(await add(network.task({ service: 'text', payload })), 'MempoolFull')
  assert(mempool.bytes <= waitingLimits.bytes)
  assert.equal(await add(network.randomness()), 'Misplaced')
  assert.equal(await add({ kind: 'call', service: 'none', payload }), 'UnknownService')
})

test('mempool: a task leaves with a reason when it can never be taken', async () => {
  const { network, mempool, dropped, add, commit } = setUp()
  const late = network.task({ validUntilMs: network.timeMs + 1_000 })
  const taken = network.task()
  const waits = network.task()
  for (const one of [late, taken, waits]) assert.equal(await add(one), 'ok')
  assert.equal(await add(taken), 'AlreadyWaiting')
  await commit([taken], 2_000)
  assert.deepEqual([...dropped], [[network.idOf(late), 'TaskTooLate']])
  assert.deepEqual(
    [late, taken, waits].map((one) => mempool.hasTask(network.idOf(one))),
    [false, false, true],
  )
  assert.equal(await add(taken), 'KnownTask')
})

test('mempool: a task that a block refused ends with the reason of the block', async () => {
  const { network, dropped, add, commit } = setUp()
  const task = network.task({ validUntilMs: network.timeMs + 1_000 })
  assert.equal(await add(task), 'ok')
  await commit([task], 5_000)
  assert.deepEqual([...dropped], [[network.idOf(task), 'TaskTooLate']])
})

test('mempool: of lists of L1 events, the one of which most is vouched for waits', async () => {
  const { network, mempool, add, propose, commit } = setUp()
  const deposits = [5, 6].map(
    (block): L1Event => ({
      kind: 'deposited',
      ...{ block, transaction: toHex(new Uint8Array(32)), logIndex: 0 },
      account: network.client.address,
      amountWei: 5n,
    }),
  )
  const [first, second] = deposits as [L1Event, L1Event]
  const afterFirst = chainL1Digest(emptyL1Digest, first)
  const afterBoth = chainL1Digest(afterFirst, second)
  const bring = (...events: readonly L1Event[]) => add({ kind: 'l1-events', events })
  const see = (ids: readonly number[], events: number, digest: Hex) =>
    commit(
      ids.map((id) =>
        network.report(id, [{ kind: 'view', view: { block: 9, events, digest, fork: false } }]),
      ),
    )
  assert.equal(await bring(first), 'NotVouched')
  await see([1, 2, 3], 1, afterFirst)
  assert.equal(await bring(second), 'NotVouched')
  assert.equal(await bring(first, second), 'ok')
  assert.equal(await bring(first), 'AlreadyWaiting')
  await see([1, 2, 3], 2, afterBoth)
  assert.equal(await bring(first), 'NotVouched')
  assert.equal(await bring(first, second), 'AlreadyWaiting')
  assert.deepEqual(kindsOf(propose()), ['l1-events'])
  await commit(propose().map((bytes) => tryDecodeTransaction(bytes) as Transaction))
  assert.equal(network.ledger.chain.l1.events, 2)
  assert.equal(mempool.size, 0)
})

test('mempool: whatever arrives in whatever order, a proposal is taken whole', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('task', 'report'), fc.integer({ min: 1, max: 4 })), {
        maxLength: 12,
      }),
      fc.integer({ min: 0, max: 4_000 }),
      async (arrivals, maxBytes) => {
        const { network, add, propose } = setUp(idealCrypto)
        for (const [kind, id] of arrivals)
          await add(kind === 'task' ? network.task() : network.report(id, [viewOf(id)]))
        const chosen = propose(maxBytes)
        assert(chosen.reduce((sum, { length }) => sum + length, 0) <= maxBytes)
        const transactions = chosen.map((bytes) => tryDecodeTransaction(bytes) as Transaction)
        assert(network.block(transactions).every(({ ok }) => ok))
      },
    ),
    { numRuns: 12 },
  ))
