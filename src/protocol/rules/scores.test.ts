import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { oneWad, type Wei } from '#primitives'
import { scoreOf, withChain } from '#protocol'
import { maxUint256 } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { creditEarning, latencyOf, type Observation, observe, trustOf } from './scores.ts'

const { ledger: fresh } = new LedgerNetwork(4, {}, idealCrypto)
const observed = (observations: readonly Observation[]) =>
  scoreOf(
    observations.reduce((ledger, one) => observe(ledger, 'byte', 1, one, undefined), fresh),
    'byte',
    1,
  )

test('scores: nobody starts with a stain, and one fault costs an eighth', () => {
  assert.deepEqual([observed([]).timeliness, observed([]).agreement], [oneWad, oneWad])
  assert.equal(observed(['missing']).timeliness, (oneWad * 7n) / 8n)
  assert.equal(observed(['late']).timeliness, (oneWad * 15n) / 16n)
  assert.equal(observed(['outlying']).agreement, (oneWad * 7n) / 8n)
  assert.equal(observed(['outlying']).timeliness, oneWad)
})

test('scores: what an operator is not to blame for costs it nothing', () => {
  const { timeliness, agreement, drawn } = observed(['unsettled', 'agreed', 'unsettled'])
  assert.deepEqual([timeliness, agreement, drawn], [oneWad, oneWad, 3])
})

test('scores: they follow the textbook average, within the dust of rounding', () => {
  const kinds = ['agreed', 'outlying', 'late', 'missing', 'unsettled'] as const
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...kinds), { maxLength: 60 }), (all) => {
      const score = observed(all)
      const ewma = (start: number, values: readonly number[]) =>
        values.reduce((old, newest) => old + (newest - old) / 8, start)
      const inTime = { late: 0.5, missing: 0, agreed: 1, outlying: 1, unsettled: 1 }
      const timeliness = ewma(
        1,
        all.map((kind) => inTime[kind]),
      )
      const opinions = all.filter((kind) => kind === 'agreed' || kind === 'outlying')
      const agreement = ewma(
        1,
        opinions.map((kind) => (kind === 'agreed' ? 1 : 0)),
      )
      assert(Math.abs(Number(score.timeliness) / 1e18 - timeliness) < 1e-12)
      assert(Math.abs(Number(score.agreement) / 1e18 - agreement) < 1e-12)
      assert.deepEqual(
        [score.drawn, score.late, score.missing, score.outlying],
        [all.length, ...(['late', 'missing', 'outlying'] as const).map(countIn(all))],
      )
    }),
  )
})

const countIn = (all: readonly Observation[]) => (kind: Observation) =>
  all.filter((one) => one === kind).length

test('scores: earnings add up, each service by itself, as far as can be counted', () => {
  const once = creditEarning(fresh, 'byte', 1, 5n as Wei)
  const more = creditEarning(once, 'byte', 1, maxUint256 as Wei)
  assert.equal(scoreOf(once, 'byte', 1).earned, 5n)
  assert.equal(scoreOf(once, 'text', 1).earned, 0n)
  assert.equal(scoreOf(more, 'byte', 1).earned, maxUint256)
})

test('trust: starts at one half, grows slowly with kept duties, falls fast with a broken one', () => {
  const trust = (all: readonly Observation[]) => Number(trustOf(observed(all))) / 1e18
  const kept = (n: number) => Array<Observation>(n).fill('agreed')
  assert.equal(trust([]), 0.5)
  assert(trust(kept(6)) > 0.8)
  assert(trust(kept(60)) > 0.94 && trust(kept(60)) < 1)
  assert(trust([...kept(60), 'missing']) < trust(kept(60)) - 0.1)
  assert(trust([...kept(60), 'late']) > trust([...kept(60), 'missing']))
  assert.equal(trust([...kept(60), 'unsettled']), trust(kept(60)))
})

test('trust: it follows the discounted Beta reputation, within the dust of rounding', () => {
  const kinds = ['agreed', 'outlying', 'late', 'missing'] as const
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...kinds), { maxLength: 60 }), (all) => {
      const [kept, broken] = all.reduce(
        ([a, b], kind) => [
          (a * 15) / 16 + (kind === 'agreed' ? 1 : 0),
          (b * 15) / 16 + (kind === 'agreed' ? 0 : kind === 'late' ? 0.75 : 3),
        ],
        [0, 0] as readonly [number, number],
      )
      const exact = (kept + 1) / (kept + broken + 2)
      assert(Math.abs(Number(trustOf(observed(all))) / 1e18 - exact) < 1e-12)
    }),
  )
})

test('trust: evidence fades with the epochs, averages do not', () => {
  const bad = observe(fresh, 'byte', 1, 'missing', undefined)
  const later = withChain(bad, { epoch: bad.chain.epoch + 4 })
  const now = scoreOf(bad, 'byte', 1)
  const then = scoreOf(later, 'byte', 1)
  assert.equal(then.broken, (((((now.broken * 3n) / 4n) * 3n) / 4n) * 3n * 3n) / 16n)
  assert.equal(then.timeliness, now.timeliness)
  const forgotten = scoreOf(withChain(bad, { epoch: 1_000_000 }), 'byte', 1)
  assert.equal(trustOf(forgotten), oneWad / 2n)
})

test('latency: full marks up to a block behind the median, then in proportion', () => {
  const member = (operator: number, committedAt: number) => ({
    operator,
    weight: 1,
    digest: committedAt > 0 ? (`0x${'11'.repeat(32)}` as const) : undefined,
    committedAt,
    result: undefined,
  })
  const committee = [member(1, 12), member(2, 12), member(3, 13), member(4, 16), member(5, 0)]
  const marks = committee.map((one) => latencyOf({ committee, drawnHeight: 10 }, one))
  assert.deepEqual(marks, [oneWad, oneWad, oneWad, oneWad / 2n, undefined])
})
