import type { Hex } from '#primitives'
import type { CheckpointRecord, Leaf, OperatorId, Session, Task } from '#records'
import { type Competition, type Ledger, noncePoolOf } from '../ledger.ts'
import { parameter } from '../parameters.ts'
import { isContested, openCompetition } from '../rules/allocation/competition.ts'
import { checkpointOf, newestCertified } from '../rules/checkpoints.ts'

/** One thing that an operator owes the network now. */
export type Duty =
  /** Compute the result of a task and commit its blinded digest. */
  | { readonly kind: 'execute'; readonly task: Task }
  /** Reveal a committed result. */
  | { readonly kind: 'reveal'; readonly task: Task }
  /** Publish this many nonce commitments, from this index on. */
  | { readonly kind: 'publish-nonces'; readonly count: number; readonly fromIndex: number }
  /** Give a share to a signing session. */
  | { readonly kind: 'sign'; readonly session: Session }
  /** Bring the newest certificate to L1. `place` is its place among the owners, or their number. */
  | { readonly kind: 'submit'; readonly entry: CheckpointRecord; readonly place: number }
  /** Execute leaves on L1 under the newest recorded root. */
  | { readonly kind: 'deliver'; readonly leaves: readonly Leaf[]; readonly entry: CheckpointRecord }
  /** Solve the epoch's allocation, and enter the solution. */
  | { readonly kind: 'solve'; readonly competition: Competition }
  /** Follow L1 from here: report a view, and bring the events that are vouched for. */
  | { readonly kind: 'vouch'; readonly events: number; readonly digest: Hex }

/**
 * Most leaves delivered at once, in a few L1 transactions: after an outage of L1 there are
 * hundreds, and the next are not looked at before the ledger has heard of these.
 */
const maxDeliveries = 64

/**
 * All open work of one operator, derived from committed state alone: nothing is forgotten by a
 * crash. The same state gives the same duties until a transaction that answers them is committed.
 * In order of urgency: what the whole network waits for first, then what only one task waits for.
 *
 * @param timeMs - the operator's own clock: others may deliver what the first in line did not.
 */
export function duties(ledger: Ledger, operator: OperatorId, timeMs: number): readonly Duty[] {
  const { events, digest } = ledger.chain.l1
  return [
    ...signingDuties(ledger, operator),
    { kind: 'vouch', events, digest },
    ...taskDuties(ledger, operator),
    ...solveDuties(ledger),
    ...submitDuties(ledger, operator),
    ...deliverDuties(ledger, operator, timeMs),
  ]
}

function signingDuties(ledger: Ledger, operator: OperatorId): readonly Duty[] {
  const { next: fromIndex, unused } = noncePoolOf(ledger, operator)
  const isLow = unused.length < parameter(ledger, 'noncesLow')
  const count = parameter(ledger, 'noncesPublished') - unused.length
  const open = [...ledger.sessions.values()].filter(({ signers }) =>
    signers.some((signer) => signer.operator === operator && signer.share === undefined),
  )
  return [
    ...open.map((session): Duty => ({ kind: 'sign', session })),
    ...(isLow ? [{ kind: 'publish-nonces', count, fromIndex } as const] : []),
  ]
}

/** Anyone may solve, as long as the best entry leaves anything worth gaining. */
function solveDuties(ledger: Ledger): readonly Duty[] {
  const competition = openCompetition(ledger)
  return competition && isContested(ledger) ? [{ kind: 'solve', competition }] : []
}

/** Reveals first: their deadline is nearer. An audit asks for the same as the task did. */
function taskDuties(ledger: Ledger, operator: OperatorId): readonly Duty[] {
  const drawn = [...ledger.tasks.values(), ...ledger.audits.values()]
  const owed = drawn.flatMap((task): readonly Duty[] => {
    const member = task.committee.find((one) => one.operator === operator)
    if (!member) return []
    if (task.status === 'committing' && !member.digest) return [{ kind: 'execute', task }]
    const owesReveal = task.status === 'revealing' && member.digest && !member.result
    return owesReveal ? [{ kind: 'reveal', task }] : []
  })
  return owed.toSorted((a, b) => rank(a) - rank(b))
}

const rank = ({ kind }: Duty): number => (kind === 'reveal' ? 0 : 1)

/** Only the newest certificate matters: it holds everything that older ones hold. */
function submitDuties(ledger: Ledger, operator: OperatorId): readonly Duty[] {
  const newest = newestCertified(ledger)
  if (!newest) return []
  const { submitters } = newest.checkpoint
  const owned = submitters.indexOf(operator)
  return [{ kind: 'submit', entry: newest, place: owned < 0 ? submitters.length : owned }]
}

function deliverDuties(ledger: Ledger, operator: OperatorId, timeMs: number): readonly Duty[] {
  const entry = checkpointOf(ledger, ledger.chain.landed.index)
  if (!entry) return []
  const graceMs = parameter(ledger, 'deliveryGraceMs')
  const leaves = [...ledger.deliveries.values()]
    .filter(({ landedMs, assignee }) => {
      if (landedMs === 0) return false
      return assignee === operator || timeMs >= landedMs + graceMs
    })
    .map(({ leafIndex }) => leafIndex)
    .sort((a, b) => a - b)
    .slice(0, maxDeliveries)
    .flatMap((index) => ledger.leaves.get(String(index)) ?? [])
  return leaves.length === 0 ? [] : [{ kind: 'deliver', leaves, entry }]
}
