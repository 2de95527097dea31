import type { Hex } from '#primitives'
import type { CheckpointRecord, Leaf, OperatorId, Session, Task } from '#records'
import { type Ledger, noncePoolOf, operatorOf } from '../ledger.ts'
import { parameter } from '../parameters.ts'

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
  /** Follow L1 from here: report a view, and bring the events that are vouched for. */
  | { readonly kind: 'vouch'; readonly events: number; readonly digest: Hex }

/** Most leaves delivered at once. */
const maxDeliveries = 16

/**
 * All open work of one operator, derived from committed state alone: nothing is forgotten by a crash.
 * The same state gives the same duties until a transaction that answers them is committed.
 */
export function duties(ledger: Ledger, operator: OperatorId, timeMs: number): readonly Duty[] {
  return [
    ...taskDuties(ledger, operator),
    ...signingDuties(ledger, operator),
    ...submitDuties(ledger, operator),
    ...deliverDuties(ledger, operator, timeMs),
    { kind: 'vouch', events: ledger.chain.l1.events, digest: ledger.chain.l1.digest },
  ]
}

const taskDuties = (ledger: Ledger, operator: OperatorId): readonly Duty[] =>
  [...ledger.tasks.values()].flatMap((task): readonly Duty[] => {
    const member = task.committee.find((one) => one.operator === operator)
    if (!member) return []
    if (task.status === 'committing' && !member.digest) return [{ kind: 'execute', task }]
    const owesReveal = task.status === 'revealing' && member.digest && !member.result
    return owesReveal ? [{ kind: 'reveal', task }] : []
  })

function signingDuties(ledger: Ledger, operator: OperatorId): readonly Duty[] {
  const { next, unused } = noncePoolOf(ledger, operator)
  const low = unused.length < parameter(ledger, 'noncesLow')
  const wanted = parameter(ledger, 'noncesPublished') - unused.length
  const open = [...ledger.sessions.values()].filter(({ signers }) =>
    signers.some((signer) => signer.operator === operator && signer.share === undefined),
  )
  const publish: Duty = {
    kind: 'publish-nonces',
    count: wanted,
    fromIndex: next,
  }
  return [
    ...(low && wanted > 0 ? [publish] : []),
    ...open.map((session): Duty => ({ kind: 'sign', session })),
  ]
}

/** Only the newest certificate matters: it holds everything that older ones hold. */
function submitDuties(ledger: Ledger, operator: OperatorId): readonly Duty[] {
  const newest = newestCertified(ledger)
  if (!newest || newest.checkpoint.index <= ledger.chain.landed.index) return []
  const { submitters } = newest.checkpoint
  const owned = submitters.indexOf(operator)
  return [{ kind: 'submit', entry: newest, place: owned < 0 ? submitters.length : owned }]
}

function newestCertified(ledger: Ledger): CheckpointRecord | undefined {
  for (let index = ledger.chain.cutIndex; index > ledger.chain.landed.index; index--) {
    const entry = ledger.checkpoints.get(String(index))
    if (entry?.status === 'certified') return entry
  }
  return undefined
}

function deliverDuties(ledger: Ledger, operator: OperatorId, timeMs: number): readonly Duty[] {
  const entry = ledger.checkpoints.get(String(ledger.chain.landed.index))
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

/** Whether this operator's latest report already says what it would say now. */
export const hasReportedView = (ledger: Ledger, operator: OperatorId, digest: Hex): boolean =>
  operatorOf(ledger, operator)?.view.digest === digest
