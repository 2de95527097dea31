import type { Clock, Hex } from '#primitives'
import { giveBack, type Nonces, noncesFrom, skipUsed, takeNonce } from './nonces.ts'
import { countReason, type LoadRecords } from './records.ts'
import { type Rpc, resultOf } from './rpc.ts'
import { submit, toSent } from './submit.ts'
import type { SignedTransfer } from './transfer.ts'

/** One account that sends transfers, one after the other as a wallet does. */
export type Sender = {
  /** Offers one more transfer, due at this time; it waits until those before it are answered. */
  offer(dueMs: number): void
  /** Resolves when nothing waits for an answer. */
  idle(): Promise<void>
}

/** Whose transfers to send, and how they are signed and passed on. */
export type SenderOptions = {
  readonly address: Hex
  /** Its own pinned connection. */
  readonly rpc: Rpc
  readonly records: LoadRecords
  readonly clock: Clock
  /** The next transfer of this account, signed; each call another one. */
  readonly sign: (nonce: number) => SignedTransfer
  /** Once true, a transfer that nobody answers is not tried again. */
  readonly isStopping: () => boolean
}

/** Offers of one sender that wait; more are counted as not sent. */
const maxWaiting = 256

/**
 * A sender that goes on from the account's pending nonce. A nonce whose transfer was refused is
 * used again, so that one refusal does not hold up all that follows.
 *
 * @param pending - `eth_getTransactionCount(address, 'pending')`.
 */
export function createSender(options: SenderOptions, pending: number): Sender {
  const { records } = options
  let nonces = noncesFrom(pending)
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  const send = async (dueMs: number): Promise<void> => {
    const taken = takeNonce(nonces)
    nonces = taken.nonces
    const { raw, hash } = options.sign(taken.nonce)
    records.transactions.set(hash, toSent(hash, dueMs))
    const call = { method: 'eth_sendRawTransaction', params: [raw] }
    // Never given up: a nonce that nobody has keeps all that follow it waiting for ever.
    const maxRounds = Number.POSITIVE_INFINITY
    const answer = await submit({ ...options, call, isKnown: isAlreadyKnown, maxRounds })
    records.transactions.set(hash, { ...toSent(hash, dueMs), ...answer })
    if (answer.status === 'unanswered' || answer.reason === 'NonceTooLow')
      nonces = await askAgain(options, nonces, taken.nonce)
    else if (answer.status === 'refused') nonces = giveBack(nonces, taken.nonce)
  }
  return {
    offer(dueMs) {
      if (waiting >= maxWaiting || records.transactions.size >= maxRecorded) {
        countReason(records.unsent.transactions, 'TooManyWaiting')
        return
      }
      waiting++
      last = last
        .then(() => send(dueMs))
        .finally(() => {
          waiting--
        })
    },
    idle: () => last,
  }

  /** Another client used the key, or a transfer's fate is open: the chain knows the next nonce. */
  async function askAgain({ rpc, address }: SenderOptions, known: Nonces, nonce: number) {
    const pendingNow = await pendingNonce(rpc, address)
    const skipped = skipUsed(known, pendingNow ?? 0)
    return (pendingNow ?? 0) <= nonce ? giveBack(skipped, nonce) : skipped
  }
}

/** Transactions that one run keeps records of: hours at the usual rates. */
const maxRecorded = 1_000_000

/** The words of geth, and the code of a pool that names it. */
const isAlreadyKnown = (message: string, reason: string): boolean =>
  /^already known/i.test(message) || reason === 'AlreadyKnown'

/** The next nonce of an account, those that wait included; undefined when nobody answers. */
export async function pendingNonce(rpc: Rpc, address: Hex): Promise<number | undefined> {
  const call = { method: 'eth_getTransactionCount', params: [address, 'pending'] }
  const count = resultOf(await rpc.send([call]))
  return typeof count === 'string' && /^0x[0-9a-f]{1,13}$/.test(count) ? Number(count) : undefined
}
