import type { Ledger } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'

/** Puts voted parameters into force whose delay has passed. */
export const applyChanges = (ledger: Ledger, block: BlockFacts): Ledger =>
  [...ledger.scheduled.entries()]
    .filter(([, { atMs }]) => atMs <= block.timeMs)
    .reduce(
      (next, [name, { value }]) => ({
        ...next,
        parameters: next.parameters.set(name, value),
        scheduled: next.scheduled.delete(name),
      }),
      ledger,
    )
