import { fromHex, sha256, systematicSample, utf8 } from '#primitives'
import type { CommitteeMember, OperatorId, Task } from '#records'
import type { Ledger } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { sharesOf } from './allocation/shares.ts'
import { turnsOf, withTurn } from './allocation/turns.ts'
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
  const shares = spec ? sharesOf(ledger, spec) : new Map()
  if (!spec || shares.size === 0)
    return endTask(ledger, task, block, { status: 'expired', reason: 'NoOperators' })
  const chosen = chooseCommittee(ledger, task, attempt, shares, spec.committee)
  return withTask(withTurn(ledger, spec.name, shares, chosen), {
    ...task,
    attempt,
    status: 'committing',
    drawnHeight: block.height,
    deadlineMs: block.timeMs + spec.commitMs,
    committee: chosen.map(freshMember),
  })
}

/** So much of what an operator is owed counts in one draw: a quarter leaves the draw to chance. */
const owedPart = 4

/**
 * Systematic sampling by shares, each with a part of what is owed: over many draws everyone has its
 * share to within a few places, and nobody can tell who is next.
 */
function chooseCommittee(
  ledger: Ledger,
  task: Task,
  attempt: number,
  shares: ReadonlyMap<OperatorId, number>,
  seats: number,
): readonly OperatorId[] {
  const { owed } = turnsOf(ledger, task.request.service)
  const weights = [...shares].map(([id, share]) => {
    const due = share + Math.trunc((owed.get(id) ?? 0) / owedPart)
    return [id, due] as const
  })
  return sampleCommittee(ledger, { id: task.id, attempt }, weights, seats)
}

/** A systematic sample by weight, from the newest randomness; everyone has some chance. */
export function sampleCommittee(
  ledger: Ledger,
  { id: task, attempt }: Pick<Task, 'id' | 'attempt'>,
  weights: readonly (readonly [OperatorId, number])[],
  seats: number,
): readonly OperatorId[] {
  const seed = sha256(
    utf8('NodeOP committee'),
    fromHex(ledger.chain.mix),
    fromHex(task),
    new Uint8Array([attempt]),
  )
  const entries = weights.map(([id, weight]) => ({ id, weight: BigInt(Math.max(1, weight)) }))
  return systematicSample(seed, entries, Math.min(seats, entries.length))
}

/** A drawn operator that has reported nothing yet. */
export const freshMember = (operator: OperatorId): CommitteeMember => ({
  operator,
  weight: 1,
  digest: undefined,
  committedAt: 0,
  result: undefined,
})
