import { assert, equalBytes } from '#primitives'
import {
  type AllocationProposal,
  allocationProgrammeCodec,
  encode,
  type OperatorId,
} from '#records'
import { type Competition, type Ledger, withChain } from '../../ledger.ts'
import { accept, type BlockFacts, type Outcome, refuse } from '../../outcome.ts'
import { parameter } from '../../parameters.ts'
import { programmeFault } from './bounds.ts'
import { freezeInputs } from './inputs.ts'
import { gapPpm, judgeAllocation } from './judge.ts'

/** The competition that takes proposals now, and the one whose winner is in force. */
export const openCompetition = (ledger: Ledger): Competition | undefined =>
  ledger.competitions.get('open')
export const standingCompetition = (ledger: Ledger): Competition | undefined =>
  ledger.competitions.get('standing')

/**
 * Freezes the inputs near the epoch's end, once an epoch, and opens the competition; unless they
 * are those of the allocation in force, which then simply stays.
 */
export function freezeEpoch(ledger: Ledger, block: BlockFacts): Ledger {
  const { epoch, epochEndsMs, frozenEpoch } = ledger.chain
  const leadMs = parameter(ledger, 'allocationLeadMs')
  if (frozenEpoch > epoch || block.timeMs < epochEndsMs - leadMs) return ledger
  const looked = withChain(ledger, { frozenEpoch: epoch + 1 })
  const standing = standingCompetition(ledger)?.programme
  const isRefresh = (epoch + 1) % parameter(ledger, 'refreshEpochs') === 0
  const programme = freezeInputs(ledger, isRefresh ? undefined : standing)
  if (!programme) return looked
  const bytes = encode(allocationProgrammeCodec, programme)
  if (standing && equalBytes(bytes, encode(allocationProgrammeCodec, standing))) return looked
  assert(programmeFault(programme) === undefined, `inputs: ${programmeFault(programme)}`)
  const open: Competition = { epoch, frozenMs: block.timeMs, programme, best: undefined }
  return { ...looked, competitions: ledger.competitions.set('open', open) }
}

/** Whether proposals may still come: a competition stays open for the lead time at least. */
export function isCompeting(ledger: Ledger, block: BlockFacts): boolean {
  const open = openCompetition(ledger)
  return open !== undefined && block.timeMs < open.frozenMs + parameter(ledger, 'allocationLeadMs')
}

/** Takes a proposal that is verified and earns more than the best so far. */
export function enter(ledger: Ledger, operator: OperatorId, proposal: AllocationProposal): Outcome {
  const open = openCompetition(ledger)
  if (!open || open.epoch !== proposal.epoch) return refuse('NoCompetition')
  const tolerance = parameter(ledger, 'allocationGapPpm')
  const judged = judgeAllocation(open.programme, proposal, tolerance)
  if (!judged.ok) return judged
  const { objective, bound } = judged
  if (open.best && objective <= open.best.objective) return refuse('NotBetter')
  const better: Competition = { ...open, best: { operator, proposal, objective, bound } }
  return accept({ ...ledger, competitions: ledger.competitions.set('open', better) })
}

/** Puts the best proposal in force; with none, the allocation in force stays. */
export function closeCompetition(ledger: Ledger): Ledger {
  const open = openCompetition(ledger)
  if (!open) return ledger
  const closed = ledger.competitions.delete('open')
  return { ...ledger, competitions: open.best ? closed.set('standing', open) : closed }
}

/** Whether a better proposal than the best so far may still be worth sending. */
export function isContested(ledger: Ledger): boolean {
  const open = openCompetition(ledger)
  if (!open) return false
  return (
    !open.best || gapPpm(open.programme, open.best) * 10 > parameter(ledger, 'allocationGapPpm')
  )
}
