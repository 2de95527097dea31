import { privateKeyToAddress } from 'viem/accounts'
import { assert, type Clock, DomainError, fromHex, type Hex, type Logger } from '#primitives'
import { createPoster } from './connection.ts'
import { startMetronome } from './metronome.ts'
import { createTaskClient, type TaskClient } from './price-tasks.ts'
import { emptyRecords, type LoadRecords } from './records.ts'
import { createRpc, type Rpc, resultOf } from './rpc.ts'
import { createSender, pendingNonce, type Sender } from './sender.ts'
import { feesOver, recipientOf, type SignDigest, signTransfer } from './transfer.ts'

/** What to offer to a network, and with which keys. */
export type LoadOptions = {
  /** Every operator's endpoint. */
  readonly gateways: readonly string[]
  readonly l2ChainId: number
  /** Secrets of accounts that hold ether on L2; they take turns. */
  readonly senders: readonly Hex[]
  /** Secret of a client with a ledger account that pays for tasks. */
  readonly taskClient: Hex
  readonly networkId: Hex
  /** Transactions a second that are offered, whatever becomes of them. */
  readonly rate: number
  /** One, unless there are no transactions either. */
  readonly tasksPerSecond?: number
  readonly symbols: readonly string[]
  readonly sign: SignDigest
  readonly clock: Clock
  readonly logger: Logger
}

/** A load on a network. */
export type Load = {
  /** Reads nonces and fees, then begins to send. @throws LoadStartError when nobody answers. */
  start(): Promise<void>
  /** Stops sending; returns when all that was sent is answered or given up. Again: no harm. */
  stop(): Promise<void>
  readonly records: LoadRecords
}

/**
 * Silence after which the next gateway is asked, and time until the first choice is tried again.
 */
const timeoutMs = 5_000
const returnMs = 5_000
/** Connections to one gateway. */
const connections = 64

/** A load of real clients: signed transfers and price tasks over JSON-RPC and kept-open HTTP. */
export function createLoad(options: LoadOptions): Load {
  const { gateways, clock, rate, tasksPerSecond = rate > 0 ? 1 : 0 } = options
  assert(gateways.length > 0 && options.senders.length > 0, 'gateways and senders for a load')
  const poster = createPoster({ timeoutMs, connections })
  const records = emptyRecords()
  let stops: readonly (() => void)[] = []
  let parties: readonly (Sender | TaskClient)[] = []
  let isStopping = false
  const rpcOf = (place: number): Rpc =>
    createRpc({
      gateways,
      poster,
      first: place % gateways.length,
      nowMs: clock.nowMs,
      returnMs,
    })
  return {
    records,
    async start() {
      const run: Run = { options, records, rpcOf, isStopping: () => isStopping }
      const senders = await openSenders(run)
      if (isStopping) return
      const tasks = openTaskClient(run)
      parties = [...senders, tasks]
      records.span.startMs = clock.nowMs()
      let turn = 0
      const offer = (dueMs: number): void => senders[turn++ % senders.length]?.offer(dueMs)
      stops = [
        startMetronome(clock, rate, offer),
        startMetronome(clock, tasksPerSecond, (dueMs) => tasks.offer(dueMs)),
      ]
      options.logger.info('load started', { rate, tasksPerSecond, senders: senders.length })
    },
    async stop() {
      isStopping = true
      if (records.span.startMs > 0) records.span.stopMs ||= clock.nowMs()
      for (const stop of stops) stop()
      await Promise.all(parties.map((party) => party.idle()))
      poster.close()
    },
  }
}

type Run = {
  readonly options: LoadOptions
  readonly records: LoadRecords
  /** A connection of its own to the gateways, pinned to one of them. */
  readonly rpcOf: (place: number) => Rpc
  readonly isStopping: () => boolean
}

async function openSenders(run: Run): Promise<readonly Sender[]> {
  const { options, records, rpcOf, isStopping } = run
  const { clock, l2ChainId: chainId, sign } = options
  const gateways = options.gateways.map((_, place) => rpcOf(place))
  const fees = feesOver(await baseFeeOf(rpcOf(0)))
  let number = 0
  return Promise.all(
    options.senders.map(async (text, place) => {
      const secret = fromHex(text, 32)
      const address = addressOf(text)
      const rpc = rpcOf(place)
      const pending = await newestNonce(gateways, address)
      const signNext = (nonce: number) => {
        number++
        const transfer = { ...fees, chainId, nonce, to: recipientOf(number), value: BigInt(number) }
        return signTransfer(transfer, secret, sign)
      }
      return createSender({ address, rpc, records, clock, sign: signNext, isStopping }, pending)
    }),
  )
}

/** The highest that a gateway knows: one that has just started may be behind the others. */
async function newestNonce(gateways: readonly Rpc[], address: Hex): Promise<number> {
  const answers = await Promise.all(gateways.map((rpc) => pendingNonce(rpc, address)))
  const nonces = answers.filter((nonce) => nonce !== undefined)
  if (nonces.length === 0) throw noAnswer(`the nonce of ${address}`)
  return Math.max(...nonces)
}

function openTaskClient({ options, records, rpcOf, isStopping }: Run): TaskClient {
  const { clock, networkId, symbols, sign } = options
  return createTaskClient({
    address: addressOf(options.taskClient),
    secret: fromHex(options.taskClient, 32),
    sign,
    networkId,
    symbols,
    nonce: String(clock.nowMs()),
    rpc: rpcOf(0),
    records,
    clock,
    isStopping,
  })
}

const addressOf = (secret: Hex): Hex => privateKeyToAddress(secret).toLowerCase() as Hex

async function baseFeeOf(rpc: Rpc): Promise<bigint> {
  const call = { method: 'eth_getBlockByNumber', params: ['latest', false] }
  const block = resultOf(await rpc.send([call]))
  const isBlock = typeof block === 'object' && block !== null && 'baseFeePerGas' in block
  if (!isBlock || typeof block.baseFeePerGas !== 'string') throw noAnswer('the base fee')
  return BigInt(block.baseFeePerGas)
}

const noAnswer = (what: string): LoadStartError =>
  new LoadStartError(`no load: no gateway tells ${what}`, { what })

/** No gateway told what a load needs to know before its first transaction. */
export class LoadStartError extends DomainError<'LoadStart', { readonly what: string }> {
  override readonly code = 'LoadStart'
}
