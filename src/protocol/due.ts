import type { Ledger } from './ledger.ts'
import { nextCutMs } from './rules/checkpoints.ts'

/**
 * When the next block has something to do although nobody sends anything: a time that is past means
 * now, undefined means never. A block before that time without transactions changes nothing.
 */
export function nextDueMs(ledger: Ledger): number | undefined {
  const times = [
    ...[...ledger.tasks.values()].flatMap(({ status, deadlineMs }) => {
      if (status === 'accepted') return [0]
      return status === 'agreed' ? [] : [deadlineMs]
    }),
    ...[...ledger.scheduled.values()].map(({ atMs }) => atMs),
    ...(ledger.sessions.size > 0 ? [0] : []),
    ...cutTimes(ledger),
  ]
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b))
}

/** A cut waits for nonces too; while they are missing, the reports that bring them make blocks. */
function cutTimes(ledger: Ledger): readonly number[] {
  const dueMs = nextCutMs(ledger)
  return dueMs === undefined ? [] : [dueMs]
}
