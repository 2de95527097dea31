import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SequencerSample, sequencerMetrics } from '#model'
import { sequencerEpoch } from '../../bench/sequencer-epochs.ts'

test('sequencer: throughput rises and latency falls as scores rise', () => {
  const epochs = [0.45, 0.6, 0.75, 0.9, 1].map((score) => sequencerEpoch(score, 0.9))
  epochs.slice(1).forEach((now, k) => {
    const before = epochs[k] as typeof now
    assert(now.throughput > before.throughput * 0.9999, `throughput ${k}`)
    assert(now.latencyS < before.latencyS, `latency ${k}`)
  })
  const [worst, best] = [epochs[0], epochs.at(-1)]
  assert(worst && best && best.throughput > 1.5 * worst.throughput)
})

test('sequencer: failures fall as trust rises, to none at full trust', () => {
  const tolerances = [0.5, 0.7, 0.9, 1].map((trust) => sequencerEpoch(0.9, trust).faultTolerance)
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
