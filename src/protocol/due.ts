import type { Ledger } from './ledger.ts'
import { nextCutMs } from './rules/checkpoints.ts'
import { deliveryDueMs } from './rules/deliveries.ts'
import { sessionDueMs } from './rules/sessions.ts'

/**
 * When the next block has something to do although nobody sends anything: a time that is past means
 * now, undefined means never. A block before that time without transactions changes nothing; blocks
 * with randomness from that time on come to rest after a few.
 */
export function nextDueMs(ledger: Ledger): number | undefined {
  const cutMs = nextCutMs(ledger)
  const times = [
    ...[...ledger.tasks.values()].flatMap(({ status, deadlineMs }) => {
      if (status === 'accepted') return [0]
      return status === 'agreed' ? [] : [deadlineMs]
    }),
    // A lot waits for the next block: the cut that brings the result's leaf makes one.
    ...[...ledger.audits.values()].flatMap(({ status, deadlineMs }) =>
      status === 'accepted' ? [] : [deadlineMs],
    ),
    ...[...ledger.deliveries.values()]
      .filter(({ landedMs }) => landedMs > 0)
      .map((delivery) => deliveryDueMs(ledger, delivery)),
    ...[...ledger.scheduled.values()].map(({ atMs }) => atMs),
    ...[...ledger.sessions.values()].map((session) => sessionDueMs(ledger, session)),
    ...(cutMs === undefined ? [] : [cutMs]),
  ]
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b))
}
