import { Address } from '@ethereumjs/util'
import { fromHex } from '#primitives'
import type { Header } from '../state/header.ts'
import { leastGasLimit, maxTransactionGas } from '../state/intrinsic-gas.ts'
import { gasBearing } from './gas-bearing.ts'
import type { Machine } from './machine.ts'
import type { CallMessage, CallResult, EstimateResult } from './types.ts'

/** Most gas of a call, and what it has when it names none: that of a default block. */
export const callGasCap = 30_000_000n

/** Estimates may be too high by this share of themselves, in 1/1,000, as geth's are. */
const tolerancePerMille = 15n

type Run = (gas: bigint) => Promise<CallResult>

/**
 * The least gas limit with which a message succeeds, by binary search as geth's `eth_estimateGas`:
 * first at the most it may use, then a shot at what that used, then halving.
 */
export async function estimate(
  message: CallMessage,
  header: Header,
  machine: Machine,
  run: Run,
): Promise<EstimateResult> {
  const most = await mostGas(message, header, machine)
  if (await isPlainTransfer(message, machine)) {
    const transfer = await run(transferGas)
    if (transfer.status === 'returned') return { status: 'estimated', gas: transferGas }
  }
  const first = await run(most)
  if (first.status === 'failed' && first.message === 'out of gas')
    return { status: 'failed', message: `gas required exceeds allowance (${most})` }
  if (first.status !== 'returned') return first
  return { status: 'estimated', gas: await search(message, first.gasUsed, most, run) }
}

async function search(
  message: CallMessage,
  gasUsed: bigint,
  most: bigint,
  run: Run,
): Promise<bigint> {
  let low = BigInt(leastGasLimit(gasBearing(message))) - 1n
  if (gasUsed - 1n > low) low = gasUsed - 1n
  let high = most
  // A call passes on at most 63/64 of its gas, so the limit may need to exceed what is used.
  const optimistic = ((gasUsed + callStipend) * 64n) / 63n
  if (optimistic < high) {
    if ((await run(optimistic)).status === 'returned') high = optimistic
    else low = optimistic
  }
  while (low + 1n < high) {
    if ((high - low) * 1000n < high * tolerancePerMille) break
    const middle = low * 2n < (high + low) / 2n ? low * 2n : (high + low) / 2n
    if ((await run(middle)).status === 'returned') high = middle
    else low = middle
  }
  return high
}

const transferGas = 21_000n
const callStipend = 2300n

async function isPlainTransfer(message: CallMessage, { state }: Machine): Promise<boolean> {
  if (
    !message.to ||
    (message.data ?? []).length > 0 ||
    message.accessList ||
    message.authorizations
  )
    return false
  return (await state.getCodeSize(new Address(fromHex(message.to)))) === 0
}

/** The block's gas, a call's and the fork's cap, what was asked for, what the sender can pay. */
async function mostGas(
  { gas, gasPrice = 0n, value = 0n, from }: CallMessage,
  header: Header,
  { state, common }: Machine,
): Promise<bigint> {
  let most = BigInt(header.gasLimit)
  if (most > callGasCap) most = callGasCap
  if (common.isActivatedEIP(7825) && most > BigInt(maxTransactionGas))
    most = BigInt(maxTransactionGas)
  if (gas !== undefined && gas >= transferGas && gas < most) most = gas
  if (gasPrice === 0n || !from) return most
  const balance = (await state.getAccount(new Address(fromHex(from))))?.balance ?? 0n
  const affordable = balance > value ? (balance - value) / gasPrice : 0n
  return affordable < most ? affordable : most
}
