import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { oneWad, type Wei } from '#primitives'
import { scoreOf } from '#protocol'
import { maxUint256 } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { creditEarning, type Observation, observe } from './scores.ts'

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
