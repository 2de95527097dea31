/**
 * §5.1 of the paper: how well a set of sequencers does. The forms are ours, the limits the paper's.
 */
export type SequencerMetrics = {
  /** TP = Σ x_i, units an epoch. */
  readonly throughput: number
  /** L: mean over operators, seconds. */
  readonly latencyS: number
  readonly latencyP50S: number
  readonly latencyP99S: number
  /** When votes of more than 2/3 of the stake are in, seconds: what sets the time of a block. */
  readonly latencyQuorumS: number
  /** FT = 1 − Σ f_i / N, where f_i is the chance (or the part) of failure. */
  readonly faultTolerance: number
  /** η = Σ x_i / Σ cost_i, units a unit of money; 0 without cost. */
  readonly efficiency: number
}

/** One operator, as the model expects it or as it was observed. */
export type SequencerSample = {
  /** x_i, units an epoch. */
  readonly work: number
  readonly latencyS: number
  /** 0 to 1. */
  readonly failures: number
  readonly cost: number
  /** Any unit; > 0. */
  readonly stake: number
}

/** What the model takes for granted about a sequencer at work. */
export type SequencerModel = {
  /** l0: latency at perfect scores, seconds. */
  readonly baseLatencyS: number
  /** f0: chance of failure without trust. */
  readonly worstFailure: number
  /** w1, w2 of the scores. */
  readonly consensusWeight: number
  readonly performanceWeight: number
}

/** Scores and work of one operator. */
export type SequencerState = {
  readonly consensus: number
  readonly performance: number
  readonly trust: number
  readonly work: number
  readonly cost: number
  readonly stake: number
}

const leastScore = 1e-3

/**
 * What the model expects of an operator: latency l0 / (w1 C + w2 S), which falls towards l0 as
 * scores rise to 1, and failures f0 (1 − T), which fall to 0 as trust rises to 1.
 */
export function expectedSample(model: SequencerModel, state: SequencerState): SequencerSample {
  const score =
    model.consensusWeight * state.consensus + model.performanceWeight * state.performance
  return {
    work: state.work,
    latencyS: model.baseLatencyS / Math.max(leastScore, score),
    failures: model.worstFailure * (1 - state.trust),
    cost: state.cost,
    stake: state.stake,
  }
}

/** Metrics of a set of operators, modelled or observed. @param samples - at least one. */
export function sequencerMetrics(samples: readonly SequencerSample[]): SequencerMetrics {
  const sum = (pick: (sample: SequencerSample) => number) =>
    samples.reduce((total, sample) => total + pick(sample), 0)
  const cost = sum(({ cost }) => cost)
  const work = sum((sample) => sample.work)
  const byLatency = samples.toSorted((a, b) => a.latencyS - b.latencyS)
  const rank = (part: number) =>
    byLatency[Math.max(Math.ceil(part * samples.length) - 1, 0)]?.latencyS ?? Number.NaN
  return {
    throughput: work,
    latencyS: sum(({ latencyS }) => latencyS) / samples.length,
    latencyP50S: rank(0.5),
    latencyP99S: rank(0.99),
    latencyQuorumS: quorumLatency(byLatency),
    faultTolerance: 1 - sum(({ failures }) => failures) / samples.length,
    efficiency: cost > 0 ? work / cost : 0,
  }
}

function quorumLatency(byLatency: readonly SequencerSample[]): number {
  const total = byLatency.reduce((sum, { stake }) => sum + stake, 0)
  let stake = 0
  for (const sample of byLatency) {
    stake += sample.stake
    if (3 * stake > 2 * total) return sample.latencyS
  }
  return Number.NaN
}
