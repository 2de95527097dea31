import type { Clock, Hex } from '#primitives'
import type { Sent } from './records.ts'
import type { Rpc, RpcCall } from './rpc.ts'

/** How one submission ended. */
export type Answer = Pick<Sent, 'status' | 'reason' | 'isUncertain' | 'answered'>

/** A record of what has no answer yet. */
export const toSent = (id: Hex, requestedMs: number): Sent => ({
  id,
  requestedMs,
  status: 'sent',
  reason: '',
  isUncertain: false,
})

/**
 * Rounds over all gateways before a submission is given up, unless told, and the pause between two.
 */
const usualRounds = 20
const roundPauseMs = 500

/**
 * Submits until a gateway answers, always the same bytes: a network knows them by their hash.
 *
 * @param options.isKnown - whether an error says that it was taken before.
 * @param options.maxRounds - over all gateways, before it is given up.
 */
export async function submit(options: {
  readonly rpc: Rpc
  readonly call: RpcCall
  readonly clock: Clock
  readonly isKnown: (message: string, reason: string) => boolean
  readonly isStopping: () => boolean
  readonly maxRounds?: number
}): Promise<Answer> {
  const { rpc, call, clock, isKnown, isStopping, maxRounds = usualRounds } = options
  let isUncertain = false
  for (let round = 1; ; round++) {
    const { replies, gateway, mayHaveArrived } = await rpc.send([call])
    isUncertain ||= mayHaveArrived
    const [reply] = replies ?? []
    const answered = { gateway: gateway ?? '', atMs: clock.nowMs() }
    if (reply?.kind === 'result' || (reply && isKnown(reply.message, reply.reason)))
      return { status: 'accepted', reason: '', isUncertain, answered }
    if (reply) return { status: 'refused', reason: reply.reason, isUncertain, answered }
    if (round >= maxRounds || isStopping())
      return { status: 'unanswered', reason: 'NoAnswer', isUncertain }
    await pause(clock, roundPauseMs)
  }
}

const pause = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(delayMs, resolve)
  })
