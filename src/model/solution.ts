import type { Allocation, Prices } from './programme.ts'

/** What a solver found, with everything needed to check it. */
export type Solution = Found | Infeasible

/** An allocation, its prices, and how far it can be from the best. */
export type Found = {
  /** `stalled`: no answer within the tolerance was found; gap and violation say how far off. */
  readonly status: 'optimal' | 'stalled'
  readonly allocation: Allocation
  /** Unmet demand, shape [M], units. */
  readonly shortfall: Float64Array
  readonly prices: Prices
  /** What the allocation earns. */
  readonly objective: number
  /** No allocation earns more (weak duality), whatever the status. */
  readonly bound: number
  /** (bound − objective) relative to the larger of the two. */
  readonly gap: number
  /** Largest relative excess over any limit. */
  readonly violation: number
  readonly effort: Effort
}

/** No allocation meets all demand within the limits, and why. */
export type Infeasible = {
  readonly status: 'infeasible'
  readonly certificate: Certificate
  readonly effort: Effort
}

/**
 * A proof that demand cannot be met: these tasks need more than these operators' limits, and what
 * all others may do of them, can give.
 */
export type Certificate = {
  /** Tasks whose demand cannot be met together. */
  readonly tasks: readonly number[]
  /** Limits that are in the way: operator and index of the resource. */
  readonly limits: readonly { readonly operator: number; readonly resource: number }[]
  /** Multipliers of the proof: with them, weak duality bounds the demand that can be met. */
  readonly prices: Prices
  /** Units, weighted by the multipliers, by which demand exceeds what can be met; > 0. */
  readonly excess: number
}

/** Counters of one solve. */
export type Effort = {
  newton: number
  conjugate: number
  sweeps: number
  scans: number
  /** Pairs and prices looked at in all of that, and in checks; every step counts 100 more. */
  visits: number
}
