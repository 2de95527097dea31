import type { Ledger, ScheduledChange } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'

/** Puts voted parameters into force whose delay has passed. */
export const applyChanges = (ledger: Ledger, block: BlockFacts): Ledger =>
  [...ledger.scheduled.entries()]
    .filter(([, { atMs }]) => atMs <= block.timeMs)
    .reduce(putIntoForce, ledger)

const putIntoForce = (
  ledger: Ledger,
  [name, { value }]: readonly [string, ScheduledChange],
): Ledger => ({
  ...ledger,
  parameters: ledger.parameters.set(name, value),
  scheduled: ledger.scheduled.delete(name),
})
