import { fromHex, oneWad, sha256, systematicSample, utf8, wad } from '#primitives'
import type { CommitteeMember, OperatorId, Task } from '#records'
import { activeOperators, type Ledger } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { endTask, withTask } from './tasks.ts'

/**
 * Tasks drawn in one block; the others wait. A report holds 256 statements, and a drawn task asks
 * each member for two before its deadlines: who is asked for more would miss them without fault.
 */
export const maxDrawsPerBlock = 64

/**
 * Draws the committees of tasks accepted before this block, those that have waited longest first;
 * call only with fresh randomness.
 */
export function drawCommittees(ledger: Ledger, block: BlockFacts): Ledger {
  return [...ledger.tasks.values()]
    .filter(({ status, acceptedHeight }) => status === 'accepted' && acceptedHeight < block.height)
    .sort((a, b) => a.acceptedHeight - b.acceptedHeight)
    .slice(0, maxDrawsPerBlock)
    .reduce((next, task) => draw(next, task, block), ledger)
}

/** Gives one task its next committee, or ends it when no operator is left to draw. */
function draw(ledger: Ledger, task: Task, block: BlockFacts): Ledger {
  const spec = ledger.services.get(task.request.service)
  const attempt = task.attempt + 1
  const chosen = spec ? chooseCommittee(ledger, task, attempt, spec.committee) : []
  if (!spec || chosen.length === 0)
    return endTask(ledger, task, block, { status: 'expired', reason: 'NoOperators' })
  return withTask(ledger, {
    ...task,
    attempt,
    status: 'committing',
    drawnHeight: block.height,
    deadlineMs: block.timeMs + spec.commitMs,
    committee: chosen.map(freshMember),
  })
}

/** Systematic sampling with equal weights: every active operator is as likely as any other. */
function chooseCommittee(
  ledger: Ledger,
  task: Task,
  attempt: number,
  size: number,
): readonly OperatorId[] {
  const seed = sha256(
    utf8('NodeOP committee'),
    fromHex(ledger.chain.mix),
    fromHex(task.id),
    new Uint8Array([attempt]),
  )
  const candidates = activeOperators(ledger)
  const weights = candidates.map(({ id }) => ({ id, weight: wad(oneWad) }))
  return systematicSample(seed, weights, Math.min(size, candidates.length))
}

const freshMember = (operator: OperatorId): CommitteeMember => ({
  operator,
  weight: 1,
  digest: undefined,
  committedAt: 0,
  result: undefined,
})
