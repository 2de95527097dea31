import type { Seen } from './checkpoints.ts'
import type { OutageFacts } from './facts.ts'

/** When nobody reached L1. */
export type Outage = { readonly fromMs: number; readonly toMs: number }

/** What was seen around it, from outside. */
export type Around = {
  readonly blocks: number
  /** Checkpoints by index, when they were seen certified, and recorded by L1. */
  readonly certified: ReadonlyMap<number, Seen>
  readonly recorded: ReadonlyMap<number, Seen>
}

/** What the network did in an outage, and how it caught up with L1 after it. */
export function outageFacts(
  { fromMs, toMs }: Outage,
  { blocks, certified, recorded }: Around,
): OutageFacts {
  const within = ({ seenMs }: Seen) => seenMs >= fromMs && seenMs <= toMs
  const waited = [...certified.values()].filter(({ seenMs }) => seenMs <= toMs)
  const size = Math.max(0, ...waited.map((one) => one.size))
  const after = [...recorded.values()]
    .filter(({ seenMs }) => seenMs > toMs)
    .sort((a, b) => a.size - b.size)
  const last = after.findIndex((one) => one.size >= size)
  const caughtUp = after[last]
  return {
    seconds: Math.round((toMs - fromMs) / 1000),
    blocks,
    certified: [...certified.values()].filter(within).length,
    recorded: [...recorded.values()].filter(within).length,
    ...(caughtUp && { caughtUpBy: last + 1, caughtUpMs: caughtUp.seenMs - toMs }),
  }
}
