import { badProgramme } from './check-programme.ts'

/** One check of a payment: validity, identity, authorisation, funds. */
export type PaymentStage = {
  readonly name: string
  /** Money a payment that reaches the stage. */
  readonly cost: number
  /** Part of what reaches the stage that goes on to the next; 0 to 1. */
  readonly passRate: number
}

/** A node that validates payments off chain, as §5.2 of the paper has it; rates are per second. */
export type PaymentNode = {
  /** f: fee of a payment that was validated without error. */
  readonly fee: number
  readonly stages: readonly PaymentStage[]
  /** e: part of the payments in which an error is found; 0 to 1. */
  readonly errorRate: number
  /** k_e: cost of validating again after an error. */
  readonly errorCost: number
  /** k_d: penalty for each second beyond the window. */
  readonly delayPenalty: number
  /** W: window for a validation, seconds. */
  readonly windowS: number
  /** Payments of complexity 1 that the node can validate a second. */
  readonly serviceRate: number
  /**
   * How much more work than usual a payment is; > 0. It divides the service rate, times the cost.
   */
  readonly complexity: number
  /** K: most payments a second. */
  readonly capacity: number
}

/** The parts of a node's utility at a load. Money a second. */
export type PaymentUtility = {
  readonly utility: number
  /** f·x·(1 − e). */
  readonly revenue: number
  /** V: cost of the stages. */
  readonly validationCost: number
  /** E = k_e·n_err. */
  readonly errorCost: number
  /** P = k_d·Σ(T − W)₊. */
  readonly delayPenalty: number
}

/**
 * U(x) = f x (1 − e) − V − E − P at load x. V = x·Σ_s c_s·Π_{k<s} p_k, since a payment that fails a
 * stage does not reach the next. Times of validation follow an M/M/1 queue, so the mean excess over
 * the window is exp(−(μ − x)W)/(μ − x): U is concave in x and falls to −∞ at the service rate.
 *
 * The paper's formulas are lost; its parts and limits are in its §5.2.1-5.2.2.
 *
 * @throws BadProgrammeError for a number that cannot be.
 */
export function paymentUtility(node: PaymentNode, load: number): PaymentUtility {
  checkNode(node)
  if (!(load >= 0)) badProgramme('load', load, 'must not be negative')
  const revenue = node.fee * load * (1 - node.errorRate)
  const validationCost = load * unitCost(node)
  const errorCost = load * node.errorRate * node.errorCost
  const late = load > 0 ? node.delayPenalty * load * excessS(node, load) : 0
  const utility = revenue - validationCost - errorCost - late
  return { utility, revenue, validationCost, errorCost, delayPenalty: late }
}

/** Cost of one payment through the stages. */
function unitCost({ stages, complexity }: PaymentNode): number {
  let reach = 1
  let cost = 0
  for (const stage of stages) {
    cost += reach * stage.cost
    reach *= stage.passRate
  }
  return cost * complexity
}

/** E[(T − W)₊] of an M/M/1 queue, seconds; ∞ when it cannot keep up. */
function excessS({ serviceRate, complexity, windowS }: PaymentNode, load: number): number {
  const spare = serviceRate / complexity - load
  return spare > 0 ? Math.exp(-spare * windowS) / spare : Infinity
}

/** ∂U/∂x: what one more payment a second adds. */
export function paymentMargin(node: PaymentNode, load: number): number {
  const { fee, errorRate, errorCost, delayPenalty, serviceRate, complexity, windowS } = node
  const spare = serviceRate / complexity - load
  if (spare <= 0) return -Infinity
  const excess = excessS(node, load)
  const slope = excess * (1 + load * (windowS + 1 / spare))
  return fee * (1 - errorRate) - unitCost(node) - errorRate * errorCost - delayPenalty * slope
}

/**
 * The order of stages that costs least: ascending cost ÷ (1 − pass rate), for independent stages.
 */
export const cheapestOrder = (stages: readonly PaymentStage[]): PaymentStage[] =>
  stages.toSorted((a, b) => a.cost * (1 - b.passRate) - b.cost * (1 - a.passRate))

/** How payments are shared among nodes. */
export type PaymentShares = {
  /** x, payments a second of each node. */
  readonly load: Float64Array
  /** What one more payment a second would add; 0 when nodes would take no more. */
  readonly price: number
  /** Payments a second that no node wants at this fee. */
  readonly shortfall: number
}

/**
 * max Σ U_i(x_i) subject to Σ x_i ≤ demand, 0 ≤ x_i ≤ K_i: each node takes payments until the next
 * one adds no more than the price.
 *
 * @param demand - payments a second.
 */
export function sharePayments(nodes: readonly PaymentNode[], demand: number): PaymentShares {
  for (const node of nodes) checkNode(node)
  if (!(demand >= 0 && demand < Infinity)) badProgramme('demand', demand, 'must be finite')
  const at = (price: number) => Float64Array.from(nodes, (node) => responseTo(node, price))
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0)
  const free = at(0)
  if (sum(free) <= demand) return { load: free, price: 0, shortfall: demand - sum(free) }
  let [low, high] = [0, Math.max(...nodes.map((node) => paymentMargin(node, 0)))]
  for (let k = 0; k < 200 && low < 0.5 * (low + high) && 0.5 * (low + high) < high; k++) {
    const middle = 0.5 * (low + high)
    if (sum(at(middle)) > demand) low = middle
    else high = middle
  }
  return { load: fill(at(low), at(high), demand), price: high, shortfall: 0 }
}

/** Between two loads, the point at which the sum is the demand. */
function fill(over: Float64Array, under: Float64Array, demand: number): Float64Array {
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0)
  const gap = sum(over) - sum(under)
  const part = gap > 0 ? (demand - sum(under)) / gap : 0
  return under.map((x, i) => x + part * ((over[i] as number) - x))
}

/**
 * The load at which one more payment adds only the price; found by bisection, since U is concave.
 */
export function responseTo(node: PaymentNode, price: number): number {
  if (paymentMargin(node, 0) <= price) return 0
  let [low, high] = [0, Math.min(node.capacity, node.serviceRate / node.complexity)]
  if (paymentMargin(node, high) >= price) return high
  for (let k = 0; k < 200; k++) {
    const middle = 0.5 * (low + high)
    if (middle <= low || middle >= high) break
    if (paymentMargin(node, middle) > price) low = middle
    else high = middle
  }
  return low
}

/** What §5.2.4 of the paper measures, over a period. */
export type PaymentMetrics = {
  /** Payments validated. */
  readonly throughput: number
  /** Payments a unit of validation cost. */
  readonly efficiency: number
  /** Errors a payment. */
  readonly errorRate: number
  /** Revenue now ÷ revenue before, minus one; NaN without revenue before. */
  readonly revenueGrowth: number
  readonly penalties: number
}

/** Counts of one period; the same for what a model expects and for what was observed. */
export type PaymentPeriod = {
  readonly payments: number
  readonly errors: number
  readonly validationCost: number
  readonly revenue: number
  readonly penalties: number
}

/** Metrics of a period beside the one before. */
export const paymentMetrics = (now: PaymentPeriod, before: PaymentPeriod): PaymentMetrics => ({
  throughput: now.payments,
  efficiency: now.validationCost > 0 ? now.payments / now.validationCost : 0,
  errorRate: now.payments > 0 ? now.errors / now.payments : 0,
  revenueGrowth: before.revenue > 0 ? now.revenue / before.revenue - 1 : Number.NaN,
  penalties: now.penalties,
})

function checkNode(node: PaymentNode): void {
  const { stages, errorRate, serviceRate, complexity } = node
  const amounts = ['fee', 'errorCost', 'delayPenalty', 'windowS', 'capacity'] as const
  for (const part of amounts)
    if (!(node[part] >= 0 && node[part] < Infinity))
      badProgramme(part, node[part], 'must be finite and not negative')
  const isShare = (value: number) => value >= 0 && value <= 1
  if (!isShare(errorRate)) badProgramme('errorRate', errorRate, 'must be from 0 to 1')
  if (!(serviceRate > 0)) badProgramme('serviceRate', serviceRate, 'must be positive')
  if (!(complexity > 0)) badProgramme('complexity', complexity, 'must be positive')
  stages.forEach(({ cost, passRate, name }, column) => {
    if (!(cost >= 0)) badProgramme(`cost of ${name}`, cost, 'must not be negative', { column })
    if (!isShare(passRate))
      badProgramme(`pass rate of ${name}`, passRate, 'must be from 0 to 1', { column })
  })
}
