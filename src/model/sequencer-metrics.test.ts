import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createProgramme,
  expectedSample,
  type SequencerModel,
  type SequencerSample,
  sequencerMetrics,
  solve,
  unitUtility,
} from '#model'
import { seeded } from '../../bench/allocation-instances.ts'

const model: SequencerModel = {
  baseLatencyS: 0.2,
  worstFailure: 0.3,
  consensusWeight: 0.5,
  performanceWeight: 0.5,
}

/** An epoch at these scores: allocate, then take what the model expects. */
function epoch(score: number, trust: number) {
  const [n, m] = [12, 6]
  const random = seeded(3)
  const spread = (middle: number) =>
    new Float64Array(n * m).map(() => Math.min(middle * (0.9 + 0.2 * random()), 1))
  const scores = spread(score)
  const trusts = new Float64Array(n).fill(trust)
  const cost = new Float64Array(n * m).map(() => 0.2 + 0.2 * random())
  const utility = unitUtility({
    operators: n,
    tasks: m,
    value: new Float64Array(m).fill(1),
    consensus: scores,
    performance: scores,
    trust: trusts,
    cost,
  })
  const solution = solve(
    createProgramme({
      operators: n,
      tasks: m,
      utility,
      congestion: new Float64Array(n).fill(0.3),
      resources: [{ name: 'capacity', capacity: new Float64Array(n).fill(12) }],
      demand: new Float64Array(m).fill(20),
      shortfallPrice: new Float64Array(m),
      cap: new Float64Array(m).fill(10),
    }),
  )
  assert(solution.status === 'optimal')
  const { start, units, task } = solution.allocation
  const samples = Array.from({ length: n }, (_, i) => {
    const own = units.subarray(start[i], start[i + 1])
    const spent = own.reduce(
      (sum, x, k) => sum + x * (cost[i * m + (task[(start[i] as number) + k] as number)] as number),
      0,
    )
    const work = own.reduce((a, b) => a + b, 0)
    const s = scores[i * m] as number
    return expectedSample(model, {
      consensus: s,
      performance: s,
      trust,
      work,
      cost: spent,
      stake: 1,
    })
  })
  return sequencerMetrics(samples)
}

test('sequencer: throughput rises and latency falls as scores rise', () => {
  const epochs = [0.45, 0.6, 0.75, 0.9, 1].map((score) => epoch(score, 0.9))
  epochs.slice(1).forEach((now, k) => {
    const before = epochs[k] as typeof now
    assert(now.throughput > before.throughput * 0.9999, `throughput ${k}`)
    assert(now.latencyS < before.latencyS, `latency ${k}`)
  })
  const [worst, best] = [epochs[0], epochs.at(-1)]
  assert(worst && best && best.throughput > 1.5 * worst.throughput)
})

test('sequencer: failures fall as trust rises, to none at full trust', () => {
  const tolerances = [0.5, 0.7, 0.9, 1].map((trust) => epoch(0.9, trust).faultTolerance)
  tolerances.slice(1).forEach((now, k) => {
    assert(now > (tolerances[k] as number))
  })
  assert.equal(tolerances.at(-1), 1)
})

test('sequencerMetrics: the quorum waits for two thirds of the stake, the mean does not show it', () => {
  const sample = (latencyS: number, stake: number): SequencerSample => ({
    work: 1,
    latencyS,
    failures: 0,
    cost: 2,
    stake,
  })
  const samples = [sample(0.1, 1), sample(0.1, 1), sample(0.1, 1), sample(5, 6)]
  const metrics = sequencerMetrics(samples)
  assert.equal(metrics.latencyQuorumS, 5)
  assert.equal(metrics.latencyP50S, 0.1)
  assert.equal(metrics.latencyP99S, 5)
  assert(Math.abs(metrics.latencyS - 1.325) < 1e-12)
  assert.equal(metrics.efficiency, 0.5)
  // Exactly two thirds are not more than two thirds.
  assert.equal(sequencerMetrics([sample(1, 2), sample(3, 1)]).latencyQuorumS, 3)
})
