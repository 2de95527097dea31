import { badProgramme } from './check-programme.ts'

/** What is known of every pair, before it becomes a price a unit. */
export type Merits = {
  readonly operators: number
  readonly tasks: number
  /** v, shape [M]: money a unit of perfect work; finite, ≥ 0. */
  readonly value: Float64Array
  /** C, shape [N × M], 0 to 1: timely votes that matched the outcome. */
  readonly consensus: Float64Array
  /** S, shape [N × M], 0 to 1: success, accuracy, speed. */
  readonly performance: Float64Array
  /** T, shape [N], 0 to 1. */
  readonly trust: Float64Array
  /** c, shape [N × M], money a unit; finite. */
  readonly cost: Float64Array
  /** κᶜ, shape [N × M], money a unit; without it, zero. */
  readonly corruptionCost?: Float64Array
}

/** How the scores weigh. */
export type UtilityRule = {
  /** w1; w1 + w2 = 1. */
  readonly consensusWeight: number
  /** w2. */
  readonly performanceWeight: number
  /** `paper`: trust does not enter. `trust`: value is multiplied by T^θ. */
  readonly mode: 'paper' | 'trust'
  /** θ ≥ 0, of the trust mode. */
  readonly trustExponent: number
}

/** Equal weights, value in proportion to trust. */
export const defaultUtilityRule: UtilityRule = {
  consensusWeight: 0.5,
  performanceWeight: 0.5,
  mode: 'trust',
  trustExponent: 1,
}

/**
 * Marginal utility u of every pair at zero load, shape [N × M], money a unit:
 * v·m(T)·(w1·C + w2·S) − c − κᶜ, where m is 1 in paper mode and T^θ in trust mode.
 *
 * The paper's own formula is lost; its parts are listed in its §4.1. It adds scores without a unit
 * to money: v mends that.
 *
 * @throws BadProgrammeError for the first number that cannot be.
 */
export function unitUtility(merits: Merits, rule: UtilityRule = defaultUtilityRule): Float64Array {
  checkMerits(merits)
  checkRule(rule)
  const { operators: n, tasks: m, value, consensus, performance, cost, corruptionCost } = merits
  const utility = new Float64Array(n * m)
  for (let i = 0; i < n; i++) {
    const trust = trustFactor(merits.trust[i] as number, rule)
    for (let t = 0; t < m; t++) {
      const pair = i * m + t
      const score =
        rule.consensusWeight * (consensus[pair] as number) +
        rule.performanceWeight * (performance[pair] as number)
      const lost = (cost[pair] as number) + (corruptionCost?.[pair] ?? 0)
      utility[pair] = (value[t] as number) * trust * score - lost
    }
  }
  return utility
}

/** m(T): by how much trust multiplies the value of work. */
export const trustFactor = (trust: number, { mode, trustExponent }: UtilityRule): number =>
  mode === 'paper' ? 1 : trust ** trustExponent

/**
 * Corruption as the network sees it: the chance that an operator of this trust corrupts a unit,
 * times the harm. κᶜ = π0·(1 − T_i)·H_τ, shape [N × M].
 *
 * @param worstChance - π0: chance of an operator without trust; 0 to 1.
 * @param harm - H, shape [M], money a unit; ≥ 0.
 */
export function expectedHarm(
  trust: Float64Array,
  worstChance: number,
  harm: Float64Array,
): Float64Array {
  checkShare('worst chance', worstChance)
  checkAll('trust', trust, trust.length, 'row', isShare, 'must be from 0 to 1')
  checkAll('harm', harm, harm.length, 'column', isAmount, 'must be finite and not negative')
  return outer(trust, harm, (t, h) => worstChance * (1 - t) * h)
}

/**
 * Corruption as an operator sees it: what cheating on a unit would cost it on average.
 * κᶜ = p_τ·slash_i, shape [N × M].
 *
 * @param detection - p, shape [M]: chance that cheating is proven; 0 to 1.
 * @param slash - shape [N], money a unit of work; ≥ 0.
 */
export function expectedSlash(slash: Float64Array, detection: Float64Array): Float64Array {
  checkAll('slash', slash, slash.length, 'row', isAmount, 'must be finite and not negative')
  checkAll('detection', detection, detection.length, 'column', isShare, 'must be from 0 to 1')
  return outer(slash, detection, (s, p) => p * s)
}

const outer = (
  rows: Float64Array,
  columns: Float64Array,
  value: (row: number, column: number) => number,
): Float64Array => {
  const m = columns.length
  return new Float64Array(rows.length * m).map((_, e) =>
    value(rows[Math.floor(e / m)] as number, columns[e % m] as number),
  )
}

function checkMerits(merits: Merits): void {
  const { operators: n, tasks: m, value, consensus, performance, trust, cost } = merits
  checkAll('value', value, m, 'column', isAmount, 'must be finite and not negative')
  checkAll('trust', trust, n, 'row', isShare, 'must be from 0 to 1')
  checkAll('consensus score', consensus, n * m, m, isShare, 'must be from 0 to 1')
  checkAll('performance score', performance, n * m, m, isShare, 'must be from 0 to 1')
  checkAll('cost', cost, n * m, m, Number.isFinite, 'must be finite')
  if (merits.corruptionCost)
    checkAll('corruption cost', merits.corruptionCost, n * m, m, Number.isFinite, 'must be finite')
}

function checkRule({ consensusWeight, performanceWeight, trustExponent }: UtilityRule): void {
  checkShare('consensus weight', consensusWeight)
  checkShare('performance weight', performanceWeight)
  const sum = consensusWeight + performanceWeight
  if (Math.abs(sum - 1) > 1e-12) badProgramme('weights', sum, 'must sum to one')
  if (!isAmount(trustExponent))
    badProgramme('trust exponent', trustExponent, 'must not be negative')
}

const isShare = (value: number): boolean => value >= 0 && value <= 1
const isAmount = (value: number): boolean => value >= 0 && value < Infinity

function checkShare(part: string, value: number): void {
  if (!isShare(value)) badProgramme(part, value, 'must be from 0 to 1')
}

/** @param along - what an index means; a number is the width of a matrix. */
function checkAll(
  part: string,
  values: Float64Array,
  length: number,
  along: 'row' | 'column' | number,
  holds: (value: number) => boolean,
  rule: string,
): void {
  if (values.length !== length) badProgramme(part, values.length, `must have ${length} entries`)
  const at = values.findIndex((value) => !holds(value))
  if (at < 0) return
  const matrix = typeof along === 'number'
  const place = matrix
    ? { row: Math.floor(at / along), column: at % along }
    : along === 'row'
      ? { row: at }
      : { column: at }
  badProgramme(part, values[at] as number, rule, place)
}
