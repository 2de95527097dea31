import type { Hex } from '#primitives'
import type { AccountState } from '../engine/types.ts'
import {
  feeBelowBase,
  insufficientFunds,
  maxCostOf,
  type Refused,
  refused,
} from '../engine/validity.ts'
import type { EthereumTransaction } from '../state/ethereum-transaction.ts'

/** A transaction that waits, with the order of its arrival. */
export type Waiting = {
  readonly transaction: EthereumTransaction
  readonly sender: Hex
  readonly arrival: number
  /** Accounts that it would delegate (EIP-7702). */
  readonly authorities: readonly Hex[]
  /** How often a block has left it out for a reason that may pass. */
  attempts: number
}

/** What one sender has waiting, and its account after the latest block. */
export type SenderQueue = {
  readonly address: Hex
  state: AccountState
  readonly byNonce: Map<bigint, Waiting>
}

/** Why the pool refuses what a block might take. Codes of `docs/reasons.md`. */
export type PoolReason =
  | 'AlreadyKnown'
  | 'ReplacementUnderpriced'
  | 'SenderQueueFull'
  | 'PoolFull'
  | 'Replaced'
  | 'Evicted'

/** Most transactions of one sender, and most of them behind a gap in its nonces. */
export const maxPerSender = 256
export const maxBehindGap = 64

/** The nonce that follows the sender's unbroken run. */
export function nextNonce({ state, byNonce }: SenderQueue): bigint {
  let nonce = state.nonce
  while (byNonce.has(nonce)) nonce += 1n
  return nonce
}

/** The unbroken run from the account's nonce on, as far as the balance and the base fee reach. */
export function executable(queue: SenderQueue, baseFee: bigint): Waiting[] {
  const run: Waiting[] = []
  let spendable = queue.state.balance
  for (let nonce = queue.state.nonce; ; nonce += 1n) {
    const waiting = queue.byNonce.get(nonce)
    if (!waiting || waiting.transaction.maxFeePerGas < baseFee) return run
    spendable -= maxCostOf(waiting.transaction)
    if (spendable < 0n) return run
    run.push(waiting)
  }
}

/** The sender's part of admission by geth's rules; undefined when the transaction may wait. */
export function queueRefusal(
  queue: SenderQueue,
  transaction: EthereumTransaction,
  baseFee: bigint,
): Refused | Refused<PoolReason> | undefined {
  const { state, byNonce } = queue
  const { nonce, maxFeePerGas } = transaction
  if (nonce < state.nonce)
    return refused('NonceTooLow', `nonce too low: next nonce ${state.nonce}, tx nonce ${nonce}`)
  if (state.isContract)
    return refused('SenderIsContract', `sender not an eoa: address ${queue.address}`)
  if (maxFeePerGas < baseFee) return feeBelowBase(queue.address, maxFeePerGas, baseFee)
  const old = byNonce.get(nonce)
  if (old && !outbids(transaction, old.transaction))
    return refused('ReplacementUnderpriced', 'replacement transaction underpriced')
  const cost = maxCostOf(transaction) - (old ? maxCostOf(old.transaction) : 0n)
  let others = 0n
  for (const waiting of byNonce.values()) others += maxCostOf(waiting.transaction)
  if (others + cost > state.balance)
    return insufficientFunds(queue.address, state.balance, others + cost)
  if (old) return undefined
  return boundRefusal(queue, nonce)
}

function boundRefusal(queue: SenderQueue, nonce: bigint): Refused<PoolReason> | undefined {
  const { byNonce } = queue
  if (byNonce.size >= maxPerSender)
    return refused('SenderQueueFull', `${maxPerSender} transactions of this sender already wait`)
  const next = nextNonce(queue)
  if (nonce <= next) return undefined
  const behind = byNonce.size - Number(next - queue.state.nonce)
  return behind >= maxBehindGap
    ? refused('SenderQueueFull', `${maxBehindGap} transactions already wait for nonce ${next}`)
    : undefined
}

/** A replacement pays at least a tenth more, in fee cap and in tip. */
function outbids(next: EthereumTransaction, old: EthereumTransaction): boolean {
  const enough = (bid: bigint, before: bigint): boolean =>
    bid * 100n >= before * (100n + bumpPercent)
  return (
    enough(next.maxFeePerGas, old.maxFeePerGas) &&
    enough(next.maxPriorityFeePerGas, old.maxPriorityFeePerGas) &&
    next.maxFeePerGas > old.maxFeePerGas
  )
}

const bumpPercent = 10n
