import {
  createProgramme,
  expectedSample,
  type SequencerMetrics,
  type SequencerModel,
  sequencerMetrics,
  solve,
  toDense,
  unitUtility,
} from '#model'
import { random as seeded } from '../test/support/random.ts'

const model: SequencerModel = {
  baseLatencyS: 0.2,
  worstFailure: 0.3,
  consensusWeight: 0.5,
  performanceWeight: 0.5,
}

const [operators, tasks] = [12, 6]

/** An epoch at these scores: allocate, then take what the model expects. */
export function sequencerEpoch(score: number, trust: number): SequencerMetrics {
  const random = seeded(3)
  const scores = new Float64Array(operators * tasks).map(() =>
    Math.min(score * (0.9 + 0.2 * random()), 1),
  )
  const cost = new Float64Array(operators * tasks).map(() => 0.2 + 0.2 * random())
  const work = allocate(scores, trust, cost)
  const samples = Array.from({ length: operators }, (_, i) => {
    const [first, end] = [i * tasks, (i + 1) * tasks]
    const own = work.subarray(first, end)
    const state = {
      consensus: scores[first] as number,
      performance: scores[first] as number,
      trust,
      work: own.reduce((a, b) => a + b, 0),
      cost: own.reduce((sum, x, t) => sum + x * (cost[first + t] as number), 0),
      stake: 1,
    }
    return expectedSample(model, state)
  })
  return sequencerMetrics(samples)
}

function allocate(scores: Float64Array, trust: number, cost: Float64Array): Float64Array {
  const utility = unitUtility({
    operators,
    tasks,
    value: new Float64Array(tasks).fill(1),
    consensus: scores,
    performance: scores,
    trust: new Float64Array(operators).fill(trust),
    cost,
  })
  const solution = solve(
    createProgramme({
      operators,
      tasks,
      utility,
      congestion: new Float64Array(operators).fill(0.3),
      resources: [{ name: 'capacity', capacity: new Float64Array(operators).fill(12) }],
      demand: new Float64Array(tasks).fill(20),
      shortfallPrice: new Float64Array(tasks),
      cap: new Float64Array(tasks).fill(10),
    }),
  )
  if (solution.status !== 'optimal') throw new Error(`our solver says ${solution.status}`)
  return toDense(solution.allocation, tasks)
}
