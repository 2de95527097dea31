import { BaseError, ExecutionRevertedError, encodeAbiParameters } from 'viem'
import { fromHex, type Hex, keccak256Hex } from '#primitives'
import { broadcast } from './broadcast.ts'
import { isUnreachable, rpcMessage } from './client.ts'
import { toSafe } from './events.ts'
import { type Fees, quoteFees, raiseFees } from './fees.ts'
import type {
  AccountState,
  L1Call,
  L1Transaction,
  Pending,
  SendOutcome,
  SendRefusal,
} from './transaction.ts'

/**
 * Gives a call the lowest free nonce, signs it and hands it to the node. `resolve` is called when
 * it is refused here; else the tracker does it.
 *
 * @param displaced - how often the call lost its nonce before.
 */
export async function place(
  state: AccountState,
  call: L1Call,
  resolve: (outcome: SendOutcome) => void,
  displaced = 0,
): Promise<void> {
  if (state.stopped) return resolve({ ok: false, reason: 'AccountStopped' })
  const pending = await prepare(state, call, resolve, displaced).catch((error) => {
    const reason = refusalOf(error)
    state.options.logger.warn('L1 call refused', { reason, error: rpcMessage(error) })
    resolve({ ok: false, reason })
  })
  if (!pending) return
  const refused = await sign(state, pending, pending.fees)
  if (refused) return resolve({ ok: false, reason: refused })
  if (state.stopped) return resolve({ ok: false, reason: 'AccountStopped' })
  state.pending.set(pending.nonce, pending)
  await offer(state, pending).catch((error) =>
    state.options.logger.warn('L1 call waits', { nonce: pending.nonce, error: rpcMessage(error) }),
  )
}

async function prepare(
  state: AccountState,
  call: L1Call,
  resolve: (outcome: SendOutcome) => void,
  displaced: number,
): Promise<Pending> {
  const { client } = state.options
  const [gas, block, used] = await Promise.all([
    call.gas ?? estimateGas(state, call),
    client.getBlock(),
    client.getTransactionCount({ address: state.address, blockTag: 'latest' }),
  ])
  const nonce = freeNonce(state, used)
  const quote = quoteFees(state.fees, block.baseFeePerGas ?? 0n)
  const before = state.pending.get(nonce)
  const fees = before ? (raiseFees(state.fees, before.fees, quote) ?? before.fees) : quote
  const number = toSafe(block.number)
  return {
    call,
    gas,
    nonce,
    fees,
    raw: '0x',
    hashes: [],
    firstBlock: number,
    sinceBlock: number,
    missing: 0,
    displaced,
    seen: false,
    abandoned: false,
    resolve,
  }
}

/** The node's estimate and a fifth: state may change before the call is in a block. */
async function estimateGas(state: AccountState, { to, data, valueWei }: L1Call): Promise<bigint> {
  const value = valueWei ?? 0n
  const gas = await state.options.client.estimateGas({ account: state.address, to, data, value })
  return (gas * 6n) / 5n
}

/** Given-up nonces go first: a gap would hold back everything after it. */
function freeNonce(state: AccountState, used: number): number {
  let nonce = used
  while (state.pending.get(nonce)?.abandoned === false) nonce++
  return nonce
}

function refusalOf(error: unknown): SendRefusal {
  if (isUnreachable(error)) return 'L1Unreachable'
  const reverts =
    error instanceof BaseError && error.walk((cause) => cause instanceof ExecutionRevertedError)
  return reverts ? 'CallReverts' : 'L1Rejected'
}

/** Signs the next variant of a pending call. @returns why not, or undefined when it did. */
async function sign(
  state: AccountState,
  pending: Pending,
  fees: Fees,
): Promise<'AccountStopped' | 'GuardRefused' | 'SignerFailed' | undefined> {
  if (state.stopped) return 'AccountStopped'
  const { signer, beforeSign, logger } = state.options
  const { nonce } = pending
  try {
    await beforeSign?.(nonce, callDigest(state, pending))
  } catch (error) {
    logger.error('the guard refused an L1 signature', { nonce, error: String(error) })
    return 'GuardRefused'
  }
  try {
    pending.raw = await signer.signTransaction(transactionOf(state, pending, fees))
  } catch (error) {
    logger.error('the L1 signer failed', { nonce, error: String(error) })
    return 'SignerFailed'
  }
  pending.fees = fees
  pending.hashes.push(keccak256Hex(fromHex(pending.raw)))
  return undefined
}

const transactionOf = (
  { options: { chainId } }: AccountState,
  { nonce, gas, call: { to, data, valueWei: value = 0n } }: Pending,
  { maxFeePerGasWei: maxFeePerGas, tipPerGasWei: maxPriorityFeePerGas }: Fees,
): L1Transaction => ({
  type: 'eip1559',
  chainId,
  nonce,
  to,
  data,
  value,
  gas,
  maxFeePerGas,
  maxPriorityFeePerGas,
})

/** Everything of a call but its fees: a raise is the same call. */
function callDigest(state: AccountState, { nonce, call }: Pending): Hex {
  const { to, data, valueWei = 0n } = call
  const values = [BigInt(state.options.chainId), state.address, BigInt(nonce), to, valueWei, data]
  return keccak256Hex(fromHex(encodeAbiParameters(callParameters, values as never)))
}

const callParameters = ['uint256', 'address', 'uint256', 'address', 'uint256', 'bytes'].map(
  (type) => ({ type }),
)

/**
 * Hands the latest variant to the node, and dearer ones while it asks for more. Whatever is still
 * open after that is the tracker's.
 */
export async function offer(state: AccountState, pending: Pending): Promise<void> {
  const { client, logger } = state.options
  for (let attempt = 0; attempt < maxOffers; attempt++) {
    const answer = await broadcast(client, pending.raw)
    switch (answer.kind) {
      case 'accepted':
        pending.seen = true
        return
      case 'unknown':
      case 'nonce-used':
        return
      case 'underpriced':
      case 'below-base-fee':
        if (!(await raise(state, pending))) return
        break
      case 'no-funds':
      case 'rejected': {
        const reason = answer.kind === 'no-funds' ? 'InsufficientL1Funds' : 'L1Rejected'
        logger.warn('L1 refused a transaction', { reason, nonce: pending.nonce, ...answer })
        if (!pending.seen) await refuse(state, pending, reason)
        return
      }
    }
  }
}

/** Signs a dearer variant. @returns whether there is one: ceiling or guard may forbid it. */
export async function raise(state: AccountState, pending: Pending): Promise<boolean> {
  const block = await state.options.client.getBlock()
  const quote = quoteFees(state.fees, block.baseFeePerGas ?? 0n)
  const fees = raiseFees(state.fees, pending.fees, quote)
  pending.sinceBlock = toSafe(block.number)
  if (fees) return (await sign(state, pending, fees)) === undefined
  const { maxFeePerGasWei } = state.fees
  state.options.logger.warn('L1 fees are at the ceiling', { nonce: pending.nonce, maxFeePerGasWei })
  return false
}

/** Ends a call that no block can hold any more. */
async function refuse(state: AccountState, pending: Pending, reason: SendRefusal): Promise<void> {
  if (state.pending.get(pending.nonce) === pending) state.pending.delete(pending.nonce)
  await state.options.onEnded?.(pending.nonce)
  pending.resolve({ ok: false, reason })
}

/** Raises in a row: 1.125¹² is four times the price. More waits for the next block. */
const maxOffers = 12
