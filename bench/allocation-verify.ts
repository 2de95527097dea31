import { proposeAllocation } from '#node'
import { judgeAllocation } from '#protocol'
import { testProgramme } from '../test/support/allocation-programme.ts'
import { cost, type Figure } from './figure.ts'

const [operators, services, repetitions] = [200, 256, 21]
const tolerancePpm = 100

/** How long the ledger takes to verify a proposal of 200 operators and 256 services in integers. */
export function verifyFigure(bench: string): Figure {
  const programme = testProgramme({ operators, services, seed: 1, slack: 1.02, groups: 5 })
  const proposal = proposeAllocation(1, programme)
  if (!proposal) throw new Error('the programme has a solution')
  const times = Array.from({ length: repetitions }, () => {
    const from = performance.now()
    const judged = judgeAllocation(programme, proposal, tolerancePpm)
    const ms = performance.now() - from
    if (!judged.ok) throw new Error(`refused: ${judged.reason}, ${judged.detail}`)
    return ms
  }).sort((a, b) => a - b)
  const median = times[repetitions >> 1] as number
  const ours = Math.round(median * 1000) / 1000
  return cost(bench, 'verify-200x256-ms', { ours, peer: null, unit: 'ms', n: operators })
}
