/** What an epoch showed of one service. */
export type ServiceEpoch = {
  /** Tasks asked for, and of these: refused at once, agreed on, and ended without a result. */
  readonly asked: number
  readonly refused: number
  readonly agreed: number
  readonly expired: number
  /** Of those that ended: drawn twice. */
  readonly redrawn: number
  /** From acceptance to agreement, median and 99th percentile; undefined: nothing was agreed on. */
  readonly latencyMs: { readonly p50: number; readonly p99: number } | undefined
  /** μ: what one more committee place would earn, in the scenario's money; negative: cost. */
  readonly demandPrice: number
  /** Part of its places that nobody takes. */
  readonly shortfall: number
}

/** What an epoch showed of one operator, in all services together. */
export type OperatorEpoch = {
  readonly isMember: boolean
  /** Part of all committee places that is meant for it, and that it was drawn for. */
  readonly share: number
  readonly work: number
  /** By service: part of its tasks whose committee it sits in. */
  readonly shares: readonly number[]
  /** Places: drawn for; of these that were judged: kept, late, missing, outlying. */
  readonly drawn: number
  readonly kept: number
  readonly late: number
  readonly missing: number
  readonly outlying: number
  /** Results of its own that audits confirmed, and contradicted. */
  readonly upheld: number
  readonly refuted: number
  /** Means over the services that it can serve. */
  readonly trust: number
  readonly timeliness: number
  readonly agreement: number
  readonly latency: number
  /** Money: fees, and what the work has cost. */
  readonly earned: number
  readonly spent: number
  /** λ: what one more place of capacity would earn. */
  readonly capacityPrice: number
}

/** The allocation in force, and what the market would make of the same inputs. */
export type AllocationEpoch = {
  /** How far from the best it is at most, in millionths; undefined before the first. */
  readonly gapPpm: number | undefined
  /** Welfare of the Nash equilibrium of pooled fees ÷ that of the optimum. */
  readonly nashOverOptimum: number | undefined
}

/** What one epoch showed. */
export type Epoch = {
  readonly epoch: number
  readonly services: readonly ServiceEpoch[]
  readonly operators: readonly OperatorEpoch[]
  readonly allocation: AllocationEpoch
}

/** One life of a scenario. */
export type Run = { readonly seed: number; readonly epochs: readonly Epoch[] }
