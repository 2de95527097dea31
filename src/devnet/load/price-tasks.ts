import { fromTaskRequest } from '#api'
import { type Clock, fromHex, type Hex, keccak256, toHex, utf8, type Wei } from '#primitives'
import { type TaskRequest, taskDigest } from '#records'
import { encodeSymbol, priceSpec } from '#services/price'
import { countReason, type LoadRecords } from './records.ts'
import type { Rpc } from './rpc.ts'
import { submit, toSent } from './submit.ts'
import type { SignDigest } from './transfer.ts'

/** A client that asks for one price after another, and signs each request. */
export type TaskClient = {
  /** Sends the next task, due at this time. */
  offer(dueMs: number): void
  /** Resolves when every task is answered. */
  idle(): Promise<void>
}

/** Who asks for prices, where, and what for. */
export type TaskClientOptions = {
  readonly address: Hex
  readonly secret: Uint8Array
  readonly sign: SignDigest
  readonly networkId: Hex
  /** Asked for in turn. */
  readonly symbols: readonly string[]
  /** Tells the salts of this run from those of every other. */
  readonly nonce: string
  readonly rpc: Rpc
  readonly records: LoadRecords
  readonly clock: Clock
  readonly isStopping: () => boolean
}

/** Tasks that wait for their answer; more are counted as not sent. */
const maxWaiting = 64

/** How long an id stays known: longer than a run, so that its end can be audited. */
const validForMs = 30 * 60_000

/** What a client pays at most: twice what the service asks at genesis. */
const maxFee = (2n * priceSpec.fee) as Wei

/** A client of the price service. */
export function createTaskClient(options: TaskClientOptions): TaskClient {
  const { records } = options
  const waiting = new Set<Promise<void>>()
  let sent = 0
  return {
    offer(dueMs) {
      if (waiting.size >= maxWaiting) {
        countReason(records.unsent.tasks, 'TooManyWaiting')
        return
      }
      const sending = send(options, sent, dueMs).finally(() => waiting.delete(sending))
      waiting.add(sending)
      sent++
    },
    idle: async () => {
      await Promise.all(waiting)
    },
  }
}

async function send(options: TaskClientOptions, number: number, dueMs: number): Promise<void> {
  const { records, networkId, secret, sign } = options
  const request = requestOf(options, number)
  const id = taskDigest(networkId, request)
  const signature = toHex(sign(fromHex(id), secret))
  records.tasks.set(id, toSent(id, dueMs))
  const params = [{ request: fromTaskRequest(request), signature }]
  const answer = await submit({ ...options, call: { method: 'nodeop_sendTask', params }, isKnown })
  records.tasks.set(id, { ...toSent(id, dueMs), ...answer })
}

/** The id is this request's own, so who knows it has taken it before. */
const isKnown = (_message: string, reason: string): boolean =>
  reason === 'KnownTask' || reason === 'AlreadyWaiting'

const requestOf = (options: TaskClientOptions, number: number): TaskRequest => ({
  client: options.address,
  service: priceSpec.name,
  payload: encodeSymbol(options.symbols[number % options.symbols.length] as string),
  maxFee,
  validUntilMs: options.clock.nowMs() + validForMs,
  salt: toHex(keccak256(utf8(`NodeOP load task ${options.nonce} ${number}`))),
})
