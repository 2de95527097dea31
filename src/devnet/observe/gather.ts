import type { StatusView } from '#api'
import type { Hex } from '#primitives'
import type { Sent } from '../load/records.ts'
import type { RunFacts, TaskFacts, TransactionFacts } from './facts.ts'
import type { OutboxEvents } from './l1-outbox.ts'
import { type Outage, outageFacts } from './outages.ts'
import { subjectOf, type Watch } from './watch.ts'

/** What the watchers have seen, subject by subject. */
export async function gatherFacts(
  watch: Watch,
  status: StatusView,
  { startMs, stopMs }: { readonly startMs: number; readonly stopMs: number },
  outages: readonly Outage[],
): Promise<RunFacts> {
  const { records, l1, network, checkpoints } = watch
  const events = await l1.events()
  const gas = await l1.gasOf(events.recorded.map(({ transaction }) => transaction))
  const { missedWindows, ...blocks } = await network.count(startMs, stopMs)
  return {
    operators: status.network.operators,
    engine: status.engine,
    seconds: Math.round((stopMs - startMs) / 1000),
    ...blocks,
    transactions: [...records.transactions.values()].map((sent) => transactionFacts(watch, sent)),
    tasks: [...records.tasks.values()].map((sent) => taskFacts(watch, sent)),
    unsent: {
      transactions: Object.fromEntries(records.unsent.transactions),
      tasks: Object.fromEntries(records.unsent.tasks),
    },
    checkpoints: {
      certified: checkpoints.certified.size,
      recorded: events.recorded.map(({ window }, place) => ({ window, gas: gas[place] ?? 0 })),
      missedWindows,
    },
    outages: outages.map((outage) => outageFacts(outage, around(watch, outage))),
    repeated: [...watch.blocks.repeated, ...repeatedLeaves(events)],
  }
}

const around = ({ network, checkpoints, l1 }: Watch, { fromMs, toMs }: Outage) => ({
  blocks: network.blocksBetween(fromMs, toMs),
  certified: checkpoints.certified,
  recorded: l1.recorded,
})

function transactionFacts(watch: Watch, sent: Sent): TransactionFacts {
  const { blocks, checkpoints, l1, proofs, endings } = watch
  const block = blocks.blockOf(sent.id)
  const refused = refusalOf(sent, block !== undefined, endings)
  if (!block) return { requestedMs: sent.requestedMs, refused }
  const { leafIndex, isProven } = proofs.stateOf(subjectOf(block) ?? sent.id)
  const onL1Ms = leafIndex === undefined || !isProven ? undefined : l1.timeline.coveredMs(leafIndex)
  const certifiedMs = notAfter(onL1Ms, certifiedAt(checkpoints, leafIndex))
  const confirmedMs = notAfter(certifiedMs, block.seenMs)
  return { requestedMs: sent.requestedMs, refused, confirmedMs, certifiedMs, onL1Ms }
}

const certifiedAt = ({ timeline }: Watch['checkpoints'], leafIndex: number | undefined) =>
  leafIndex === undefined ? undefined : timeline.coveredMs(leafIndex)

/**
 * When something was seen, at the latest when what follows from it was: watchers do not look at the
 * same time, and one whose look takes long may come after the next thing has happened.
 */
const notAfter = (nextMs: number | undefined, seenMs: number | undefined): number | undefined =>
  nextMs === undefined ? seenMs : Math.min(nextMs, seenMs ?? nextMs)

function taskFacts({ tasks, checkpoints, l1, proofs, endings }: Watch, sent: Sent): TaskFacts {
  const { leafIndex, ...progress } = tasks.progressOf(sent.id)
  const { isProven } = proofs.stateOf(sent.id)
  const onL1Ms = leafIndex === undefined || !isProven ? undefined : l1.executedMs(leafIndex)
  const isTaken = progress.agreedMs !== undefined || progress.expired !== undefined
  return {
    requestedMs: sent.requestedMs,
    refused: refusalOf(sent, isTaken, endings),
    ...progress,
    certifiedMs: notAfter(onL1Ms, certifiedAt(checkpoints, leafIndex)),
    onL1Ms,
  }
}

/**
 * Why it was not taken. Where an answer got lost, what the network did with it decides; a refusal
 * by the one gateway that was asked stands, whatever the network did.
 */
function refusalOf(
  { id, status, reason, isUncertain }: Sent,
  isTaken: boolean,
  endings: ReadonlyMap<Hex, string>,
): string | undefined {
  if (status === 'refused') return isUncertain && isTaken ? undefined : reason
  if (isTaken) return undefined
  return endings.get(id) ?? (status === 'unanswered' || status === 'sent' ? 'NoAnswer' : undefined)
}

/** Leaves that L1 executed more than once, and tasks of which it executed more than one leaf. */
function repeatedLeaves({ executed }: OutboxEvents): readonly (Hex | number)[] {
  const leaves = new Set<number>()
  const subjects = new Map<Hex, number>()
  const repeated = new Set<Hex | number>()
  for (const { leafIndex, subject } of executed) {
    if (leaves.has(leafIndex)) repeated.add(leafIndex)
    else if (subjects.has(subject)) repeated.add(subject)
    leaves.add(leafIndex)
    subjects.set(subject, leafIndex)
  }
  return [...repeated]
}
