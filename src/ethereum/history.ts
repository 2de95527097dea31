import { assert, type Hex } from '#primitives'
import { chainL1Digest, emptyL1Digest, type L1Event } from '#records'

/** A block that was read, its hash then, and the number of events up to and including it. */
type Mark = { readonly block: number; readonly hash: Hex; readonly events: number }

/** The relevant events of L1 up to one block, each with the digest chained up to it. */
export type L1History = {
  readonly startBlock: number
  /** Blocks that were read, ascending; the oldest are forgotten. */
  readonly marks: Mark[]
  readonly events: L1Event[]
  /** `digests[n]` is the digest over the first n events. */
  readonly digests: Hex[]
}

/** Says how much of L1 someone has seen, and what it was. */
export type HistoryPoint = {
  readonly block: number
  readonly events: number
  readonly digest: Hex
}

/** The history before `startBlock`: nothing. */
export const emptyHistory = (startBlock: number): L1History => ({
  startBlock,
  marks: [],
  events: [],
  digests: [emptyL1Digest],
})

/** The last block read; the one before the start when none was. */
export const lastBlock = (history: L1History): number =>
  history.marks.at(-1)?.block ?? history.startBlock - 1

/** Where the history ends. */
export const endOf = (history: L1History): HistoryPoint => ({
  block: Math.max(0, lastBlock(history)),
  events: history.events.length,
  digest: history.digests.at(-1) ?? emptyL1Digest,
})

/** Adds the blocks up to `block` and their events, in order. */
export function extend(history: L1History, block: number, hash: Hex, events: readonly L1Event[]) {
  assert(block > lastBlock(history), 'history grows forward')
  for (const event of events) {
    history.digests.push(chainL1Digest(endOf(history).digest, event))
    history.events.push(event)
  }
  history.marks.push({ block, hash, events: history.events.length })
  if (history.marks.length > maxMarks) history.marks.shift()
}

/** Takes back the last blocks that were read, down to the mark before them. */
export function takeBack(history: L1History): void {
  history.marks.pop()
  // When no mark is left, older ones may have been forgotten: then everything is read again.
  const events = history.marks.at(-1)?.events ?? 0
  history.events.length = events
  history.digests.length = events + 1
}

/** Whether this history has passed that point and says something else there. */
export const contradicts = (history: L1History, point: HistoryPoint): boolean =>
  history.events.length >= point.events
    ? history.digests[point.events] !== point.digest
    : lastBlock(history) >= point.block

/** Reorganisations deeper than this many reads start from the beginning: about 17 min of devnet. */
const maxMarks = 1024
