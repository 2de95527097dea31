import type { StateManagerInterface } from '@ethereumjs/common'
import type { Address } from '@ethereumjs/util'
import { toHex } from '#primitives'
import type { StaticReason } from '../state/check.ts'
import type { EthereumTransaction } from '../state/ethereum-transaction.ts'
import type { AccountState } from './types.ts'

/** Why the state leaves a transaction out. Codes of `docs/reasons.md`. */
export type StateReason =
  | 'InvalidSender'
  | 'NonceTooLow'
  | 'NonceTooHigh'
  | 'SenderIsContract'
  | 'MaxFeeBelowBaseFee'
  | 'InsufficientFunds'
  | 'BlockGasExhausted'
  | 'ExecutionRefused'

/** Why a block leaves a transaction out. */
export type DropReason = StaticReason | StateReason

/** A refusal: its code, and geth's message for people. */
export type Refused<Reason = DropReason> = {
  readonly ok: false
  readonly reason: Reason
  readonly detail: string
}

/** The state of an address without an account. */
export const noAccount: AccountState = {
  nonce: 0n,
  balance: 0n,
  isContract: false,
  isDelegated: false,
}

/** Most wei that a transaction can cost its sender. */
export const maxCostOf = ({ gasLimit, maxFeePerGas, value }: EthereumTransaction): bigint =>
  gasLimit * maxFeePerGas + value

/** The sender's part of geth's checks, in geth's order and words; undefined when all is well. */
export function senderRefusal(
  transaction: EthereumTransaction,
  sender: string,
  state: AccountState,
  baseFee: bigint,
): Refused<StateReason> | undefined {
  const { nonce, maxFeePerGas } = transaction
  if (nonce < state.nonce) return nonceTooLow(sender, nonce, state.nonce)
  if (nonce > state.nonce)
    return refused(
      'NonceTooHigh',
      `nonce too high: address ${sender}, tx: ${nonce} state: ${state.nonce}`,
    )
  if (state.isContract) return refused('SenderIsContract', `sender not an eoa: address ${sender}`)
  if (maxFeePerGas < baseFee) return feeBelowBase(sender, maxFeePerGas, baseFee)
  const cost = maxCostOf(transaction)
  if (state.balance < cost) return insufficientFunds(sender, state.balance, cost)
  return undefined
}

/** The refusal of a nonce that was used. */
export const nonceTooLow = (
  sender: string,
  nonce: bigint,
  expected: bigint,
): Refused<'NonceTooLow'> =>
  refused('NonceTooLow', `nonce too low: address ${sender}, tx: ${nonce} state: ${expected}`)

/** The refusal of a fee cap that the block's base fee exceeds. */
export const feeBelowBase = (
  sender: string,
  maxFeePerGas: bigint,
  baseFee: bigint,
): Refused<'MaxFeeBelowBaseFee'> =>
  refused(
    'MaxFeeBelowBaseFee',
    `max fee per gas less than block base fee: address ${sender}, ` +
      `maxFeePerGas: ${maxFeePerGas}, baseFee: ${baseFee}`,
  )

/** The refusal of a cost that the balance does not cover. */
export const insufficientFunds = (
  sender: string,
  balance: bigint,
  cost: bigint,
): Refused<'InsufficientFunds'> =>
  refused(
    'InsufficientFunds',
    `insufficient funds for gas * price + value: address ${sender} have ${balance} want ${cost}`,
  )

/** A refusal with its code and geth's message. */
export const refused = <Reason extends string>(
  reason: Reason,
  detail: string,
): Refused<Reason> => ({ ok: false, reason, detail })

/** What a state says of a sender. */
export async function senderState(
  state: StateManagerInterface,
  address: Address,
): Promise<AccountState> {
  const account = await state.getAccount(address)
  if (!account) return noAccount
  const { nonce, balance } = account
  const code = account.isContract() ? await state.getCode(address) : undefined
  return { nonce, balance, ...kindOf(code) }
}

/** What an account's code makes it; undefined is none. A delegated one still sends transactions. */
export function kindOf(code: Uint8Array | undefined) {
  const isDelegated = code !== undefined && toHex(code.subarray(0, 3)) === delegationPrefix
  return { isContract: code !== undefined && !isDelegated, isDelegated }
}

/** First bytes of the code of a delegated account (EIP-7702). */
export const delegationPrefix = '0xef0100'
