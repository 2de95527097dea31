import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { percentile } from '#simulation'
import type { RunFacts } from './observe/facts.ts'
import { describeSummary, summarise } from './summary.ts'

const facts = (changes: Partial<RunFacts> = {}): RunFacts => ({
  operators: 4,
  engine: 'embedded',
  seconds: 60,
  blocks: 200,
  blocksAboveRound0: 1,
  allocations: [
    { epoch: 1, timeMs: 1, shares: { '1': 0.25, '2': 0.25, '3': 0.25, '4': 0.25 } },
    { epoch: 2, timeMs: 2, shares: { '1': 0.32, '2': 0.04, '3': 0.32, '4': 0.32 } },
    { epoch: 3, timeMs: 3, shares: { '1': 0.25, '2': 0.25, '3': 0.25, '4': 0.25 } },
  ],
  transactions: [
    { requestedMs: 1_000, confirmedMs: 1_300, certifiedMs: 2_000, onL1Ms: 3_000 },
    { requestedMs: 1_000, confirmedMs: 1_400.4, certifiedMs: 2_100, onL1Ms: 3_100 },
    { requestedMs: 1_000, refused: 'PoolFull' },
    { requestedMs: 1_000, confirmedMs: 1_500, certifiedMs: 2_200 },
  ],
  tasks: [
    {
      requestedMs: 1_000,
      agreedMs: 1_900,
      certifiedMs: 2_500,
      onL1Ms: 4_000,
      settledMs: 5_000,
    },
    { requestedMs: 1_000, expired: 'NoAgreement' },
    { requestedMs: 1_000 },
  ],
  unsent: { transactions: { TooManyWaiting: 2 }, tasks: {} },
  checkpoints: {
    certified: 3,
    recorded: [
      { window: 0, gas: 90_000 },
      { window: 2, gas: 56_000 },
    ],
    missedWindows: 2,
  },
  outages: [],
  repeated: ['0x01', 7],
  ...changes,
})

test('summarise: counts every stage, every refusal, what is lost and what came twice', () => {
  assert.deepEqual(summarise(facts()), {
    operators: 4,
    engine: 'embedded',
    seconds: 60,
    blocks: 200,
    blocksAboveRound0: 1,
    allocations: facts().allocations.map((one) => ({
      ...one,
      agreed: 0,
      latencyMs: { p50: 0, p99: 0 },
    })),
    transactions: {
      sent: 6,
      refused: { TooManyWaiting: 2, PoolFull: 1 },
      confirmed: 3,
      certified: 3,
      onL1: 2,
    },
    tasks: {
      sent: 3,
      refused: {},
      agreed: 1,
      certified: 1,
      onL1: 1,
      settled: 1,
      expired: 1,
      latencyMs: {
        agreed: { p50: 900, p99: 900 },
        certified: { p50: 1_500, p99: 1_500 },
        onL1: { p50: 3_000, p99: 3_000 },
        settled: { p50: 4_000, p99: 4_000 },
      },
    },
    checkpoints: { certified: 3, onL1: 2, byFallback: 1, missedWindows: 2 },
    latencyMs: {
      confirmed: { p50: 400, p99: 500 },
      certified: { p50: 1_100, p99: 1_200 },
      onL1: { p50: 2_000, p99: 2_100 },
    },
    gasPerSubmission: { p50: 56_000, max: 90_000 },
    lost: 2,
    twice: 2,
  })
})

test('summarise: the keys of a run in which nothing happened are all there', () => {
  const nothing = facts({
    transactions: [],
    tasks: [],
    unsent: { transactions: {}, tasks: {} },
    checkpoints: { certified: 0, recorded: [], missedWindows: 0 },
    repeated: [],
  })
  const { latencyMs, gasPerSubmission, lost, twice } = summarise(nothing)
  assert.deepEqual(latencyMs.confirmed, { p50: 0, p99: 0 })
  assert.deepEqual(
    { gasPerSubmission, lost, twice },
    {
      gasPerSubmission: { p50: 0, max: 0 },
      lost: 0,
      twice: 0,
    },
  )
})

test('summarise: outages are said when there were any', () => {
  assert(!('outages' in summarise(facts())))
  const outage = { seconds: 600, blocks: 900, certified: 590, recorded: 1 }
  const summary = summarise(facts({ outages: [{ ...outage, caughtUpBy: 1, caughtUpMs: 4_500 }] }))
  assert.equal(summary.outages?.[0]?.caughtUpBy, 1)
  assert.match(
    describeSummary(summary),
    /without L1 600 s +900 blocks, 590 certified, 1 recorded, caught up by 1 after 4.5 s/,
  )
  assert.match(describeSummary(summarise(facts({ outages: [outage] }))), /never caught up/)
})

test('summarise: sharing and chaos are said when there are any', () => {
  const plain = summarise(facts(), { share: false, chaos: [] })
  assert.deepEqual(['share' in plain, 'chaos' in plain], [false, false])
  const bent = summarise(facts(), { share: true, chaos: ['liar', 'copier'] })
  assert.deepEqual([bent.share, bent.chaos], [true, ['liar', 'copier']])
  assert.match(describeSummary(bent), /computations shared, chaos: liar, copier/)
})

test('summarise: a transaction that was accepted and dropped with a reason is not lost', () => {
  const transactions = [{ requestedMs: 0, refused: 'NonceTooLow' }]
  assert.equal(summarise(facts({ transactions, tasks: [] })).lost, 0)
})

test('describeSummary: says the figures in words', () => {
  const text = describeSummary(summarise(facts()))
  assert.match(text, /6 sent, 3 refused \(2 TooManyWaiting, 1 PoolFull\), 3 confirmed/)
  assert.match(text, /1 by fallback, 2 windows missed/)
  assert(text.split('\n').every((line) => line.length <= 120))
})

test('percentile: at least the part asked for is not above it, and no smaller value does', () =>
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 }),
      fc.constantFrom(0.5, 0.99, 1),
      (values, part) => {
        const chosen = percentile(values, part)
        const shareAtMost = (bound: number) =>
          values.filter((value) => value <= bound).length / values.length
        assert(values.includes(chosen))
        assert(shareAtMost(chosen) >= part)
        assert(values.every((value) => value >= chosen || shareAtMost(value) < part))
      },
    ),
  ))
