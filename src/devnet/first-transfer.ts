import { setTimeout as pass } from 'node:timers/promises'
import {
  BaseError,
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  MethodNotSupportedRpcError,
  type PublicClient,
  parseEther,
  TransactionReceiptNotFoundError,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { systemClock } from '#node'
import { DomainError, type Hex } from '#primitives'
import { devnetAccount } from './l1.ts'
import { l2ChainId } from './network.ts'

/** The L2 as viem and wallets know a chain. */
const l2Chain = (gateway: string) =>
  defineChain({
    id: l2ChainId,
    name: 'NodeOP devnet',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [gateway] } },
  })

/** A network that confirms nothing for so long will not do so later either. */
const patienceMs = 120_000

/**
 * Sends one transfer as any wallet would, so that a new network has something to certify.
 *
 * @param limitMs - how long it may take until it is confirmed.
 * @returns its hash, once it is confirmed.
 * @throws FirstTransferError when the gateway refuses it, or it takes too long.
 */
export async function sendFirstTransfer(gateway: string, limitMs = patienceMs): Promise<Hex> {
  const late = Promise.withResolvers<never>()
  const heard = { said: `no answer within ${limitMs} ms` }
  const timer = setTimeout(() => late.reject(failed(heard.said)), limitMs)
  try {
    return await Promise.race([transfer(gateway, limitMs, heard), late.promise])
  } catch (error) {
    if (error instanceof FirstTransferError) throw error
    throw failed(wordsOf(error), error)
  } finally {
    clearTimeout(timer)
  }
}

/** What a gateway that does not serve said last. */
type Heard = { said: string }

async function transfer(gateway: string, limitMs: number, heard: Heard): Promise<Hex> {
  const [from, to] = [devnetAccount(0), devnetAccount(1)]
  const chain = l2Chain(gateway)
  const transport = http(gateway, { timeout: limitMs, retryCount: 0 })
  const wallet = createWalletClient({
    account: privateKeyToAccount(from.privateKey),
    chain,
    transport,
  })
  const client = createPublicClient({ chain, transport })
  const transaction = { to: to.address, value: parseEther('0.01') }
  const whileServing = <T>(run: () => Promise<T>) => served(gateway, limitMs, heard, run)
  const hash = await whileServing(() => wallet.sendTransaction(transaction))
  // Viem's own wait looks once for each new block, and an idle network makes none: what it misses
  // while it looks for a replacement, it would never see.
  const deadlineMs = systemClock.nowMs() + limitMs
  while (!(await whileServing(() => hasReceipt(client, hash)))) {
    if (systemClock.nowMs() >= deadlineMs) throw failed(heard.said)
    await pass(receiptPauseMs)
  }
  return hash
}

const receiptPauseMs = 100

async function hasReceipt(client: PublicClient, hash: Hex): Promise<boolean> {
  try {
    await client.getTransactionReceipt({ hash })
    return true
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return false
    throw error
  }
}

/** Tries again what was refused because the gateway did not serve: then it had no effect. */
async function served<T>(
  gateway: string,
  limitMs: number,
  heard: Heard,
  run: () => Promise<T>,
): Promise<T> {
  const deadlineMs = systemClock.nowMs() + limitMs
  for (;;) {
    await serving(gateway, limitMs, heard)
    try {
      return await run()
    } catch (error) {
      if (!isNotReady(error) || systemClock.nowMs() >= deadlineMs) throw error
    }
  }
}

/**
 * Whether a gateway did not serve, which viem knows by another name, or was too busy to answer a
 * question in time: either way nothing has been accepted.
 */
const isNotReady = (error: unknown): boolean =>
  error instanceof BaseError &&
  error.walk(
    (cause) =>
      cause instanceof MethodNotSupportedRpcError ||
      (cause instanceof Error && cause.message.includes('execution aborted')),
  ) !== null

/** A busy machine takes a while to its first block; after that the gateway says why it refuses. */
async function serving(gateway: string, limitMs: number, heard: Heard): Promise<void> {
  const deadlineMs = systemClock.nowMs() + limitMs
  while (systemClock.nowMs() < deadlineMs) {
    const answer = await fetch(`${gateway}/readyz`)
    if (answer.ok) return
    heard.said = (await answer.text()).split('\n')[0] ?? ''
    await pass(readyPauseMs)
  }
}

const readyPauseMs = 100

/** What the gateway said, where it did: viem's own words are about the code alone. */
function wordsOf(error: unknown): string {
  if (error instanceof BaseError && error.details) return error.details
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''
}

const failed = (said: string, cause?: unknown): FirstTransferError =>
  new FirstTransferError(`the first transfer was not confirmed: ${said}`, { said }, cause)

/** The new network did not confirm the transfer that it begins with. */
export class FirstTransferError extends DomainError<'FirstTransferFailed', { said: string }> {
  override readonly code = 'FirstTransferFailed'
}
