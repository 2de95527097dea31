import { TransactionReceiptNotFoundError } from 'viem'
import type { Hex } from '#primitives'
import { pauseBefore, rpcMessage } from './client.ts'
import { toSafe } from './events.ts'
import { offer, place, raise } from './sender.ts'
import type { AccountState, L1Receipt, Pending } from './transaction.ts'

/** Runs one thing of an account after all that were begun before. */
export function inLane(state: AccountState, run: () => Promise<void>): Promise<void> {
  const done = state.lane.then(run)
  state.lane = done.catch(() => {}) // whoever awaits `done` handles it; the lane goes on
  return done
}

/** Checks what is in flight, again and again until nothing is. */
export function watch(state: AccountState): void {
  if (state.watching || state.stopped || state.pending.size === 0) return
  state.watching = true
  state.cancel = state.options.clock.after(pauseBefore(state.pollMs, state.failures), async () => {
    await inLane(state, () => check(state))
    state.watching = false
    watch(state)
  })
}

async function check(state: AccountState): Promise<void> {
  const { logger } = state.options
  try {
    await checkAll(state)
    if (state.failures > 0) logger.info('L1 answers again', { failedChecks: state.failures })
    state.failures = 0
  } catch (error) {
    if (state.failures === 0) logger.warn('L1 does not answer', { error: rpcMessage(error) })
    state.failures++
  }
}

async function checkAll(state: AccountState): Promise<void> {
  const { client } = state.options
  const head = toSafe(await client.getBlockNumber())
  if (head === state.head) return
  const used = await client.getTransactionCount({ address: state.address, blockTag: 'latest' })
  const inOrder = [...state.pending.values()].sort((a, b) => a.nonce - b.nonce)
  for (const one of inOrder) {
    if (one.nonce < used) await conclude(state, one)
    else if (!one.abandoned) await push(state, one, head, one.nonce === used)
  }
  state.head = head
}

/** A call whose nonce is used: by one of its variants, or by a transaction we do not know. */
async function conclude(state: AccountState, one: Pending): Promise<void> {
  const receipt = await receiptOf(state, one)
  if (!receipt && ++one.missing < checksBeforeTaken) return
  state.pending.delete(one.nonce)
  await state.options.onEnded?.(one.nonce)
  if (receipt) return one.resolve({ ok: true, receipt })
  if (one.abandoned) return
  state.options.logger.warn('another transaction took an L1 nonce', { nonce: one.nonce })
  if (one.displaced >= maxDisplaced) return one.resolve({ ok: false, reason: 'NonceTaken' })
  await place(state, one.call, one.resolve, one.displaced + 1)
}

async function receiptOf(state: AccountState, one: Pending): Promise<L1Receipt | undefined> {
  for (const hash of one.hashes.toReversed()) {
    const receipt = await findReceipt(state, hash)
    if (receipt)
      return {
        transaction: hash,
        block: toSafe(receipt.blockNumber),
        success: receipt.status === 'success',
        gasUsed: receipt.gasUsed,
        feeWei: receipt.gasUsed * receipt.effectiveGasPrice,
        logs: receipt.logs,
      }
  }
  return undefined
}

const findReceipt = (state: AccountState, hash: Hex) =>
  state.options.client.getTransactionReceipt({ hash }).catch((error) => {
    if (error instanceof TransactionReceiptNotFoundError) return undefined
    throw error
  })

/** A call that waits: offered again, raised when it is next and took too long, or given up. */
async function push(state: AccountState, one: Pending, head: number, isNext: boolean) {
  if (head - one.firstBlock >= state.giveUpAfterBlocks) return await giveUp(state, one)
  const isStuck = head - one.sinceBlock >= state.replaceAfterBlocks
  if (isNext && isStuck) await raise(state, one)
  if (!one.seen || (isNext && isStuck)) await offer(state, one)
}

/** The caller is told; a call that the node may still hold keeps its nonce watched. */
async function giveUp(state: AccountState, one: Pending): Promise<void> {
  state.options.logger.warn('an L1 transaction was not mined', { nonce: one.nonce })
  if (one.seen) one.abandoned = true
  else state.pending.delete(one.nonce)
  await state.options.onEnded?.(one.nonce)
  one.resolve({ ok: false, reason: 'NotMined' })
}

/** Checks with a used nonce and no receipt until we believe it: nodes index receipts late. */
const checksBeforeTaken = 2

/** Times a call may lose its nonce to somebody else who uses our key. */
const maxDisplaced = 3
