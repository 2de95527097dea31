import type { Verdict } from '#records'
import { decodeEthereumTransaction, type EthereumTransaction } from './ethereum-transaction.ts'
import type { Hardfork, L2Genesis } from './genesis.ts'
import { leastGasLimit, maxInitcodeBytes, maxTransactionGas } from './intrinsic-gas.ts'

/** Why a transaction can never be included, whatever the state. Codes of `docs/reasons.md`. */
export type StaticReason =
  | 'MalformedTransaction'
  | 'UnsupportedTransactionType'
  | 'UnprotectedTransaction'
  | 'InvalidSignature'
  | 'OversizedTransaction'
  | 'WrongChainId'
  | 'IntrinsicGasTooLow'
  | 'BlockGasLimitExceeded'
  | 'TransactionGasLimitExceeded'
  | 'TipAboveMaxFee'
  | 'InitcodeTooLarge'
  | 'NonceOverflow'

/** What the stateless rules depend on. */
export type CheckRules = {
  readonly chainId: number
  readonly gasLimit: number
  readonly hardfork: Hardfork
}

/** The stateless rules of a chain. */
export const checkRules = ({ parameters, header }: L2Genesis): CheckRules => ({
  chainId: parameters.chainId,
  hardfork: parameters.hardfork,
  gasLimit: header.gasLimit,
})

/** A transaction that may be included in some state, or why not in any. */
export type Checked = { readonly ok: true; readonly transaction: EthereumTransaction } | Refused

type Refused = { readonly ok: false; readonly reason: StaticReason; readonly detail: string }

/** Largest transaction in bytes, as geth's pool has it. */
export const maxTransactionBytes = 128 * 1024

/**
 * Everything that can be judged without state and without a signature library. `detail` is the
 * message that geth gives for the same fault.
 */
export function checkEthereumTransaction(raw: Uint8Array, rules: CheckRules): Checked {
  const oversized = checkSize(raw)
  if (oversized) return oversized
  const decoded = decodeEthereumTransaction(raw)
  if (!decoded.ok) return decoded
  return checkFields(decoded.transaction, rules) ?? decoded
}

/** The refusal of bytes that no record of the network could hold. */
export const checkSize = (raw: Uint8Array): Refused | undefined =>
  raw.length > maxTransactionBytes
    ? refusal(
        'OversizedTransaction',
        `oversized data: transaction size ${raw.length}, limit ${maxTransactionBytes}`,
      )
    : undefined

/** `checkEthereumTransaction` without its by-product. */
export function checkCall(raw: Uint8Array, rules: CheckRules): Verdict {
  const checked = checkEthereumTransaction(raw, rules)
  return checked.ok ? { ok: true } : checked
}

function checkFields(transaction: EthereumTransaction, rules: CheckRules): Checked | undefined {
  const { chainId, gasLimit, maxFeePerGas, maxPriorityFeePerGas, data, to, nonce } = transaction
  if (chainId !== BigInt(rules.chainId))
    return refusal(
      'WrongChainId',
      `invalid chain id for signer: have ${chainId} want ${rules.chainId}`,
    )
  if (nonce === maxNonce) return refusal('NonceOverflow', `nonce has max value: ${nonce}`)
  if (maxPriorityFeePerGas > maxFeePerGas)
    return refusal(
      'TipAboveMaxFee',
      'max priority fee per gas higher than max fee per gas: ' +
        `maxPriorityFeePerGas: ${maxPriorityFeePerGas}, maxFeePerGas: ${maxFeePerGas}`,
    )
  if (!to && data.length > maxInitcodeBytes)
    return refusal(
      'InitcodeTooLarge',
      `max initcode size exceeded: code size ${data.length}, limit ${maxInitcodeBytes}`,
    )
  if (gasLimit > BigInt(rules.gasLimit))
    return refusal('BlockGasLimitExceeded', 'exceeds block gas limit')
  if (rules.hardfork === 'osaka' && gasLimit > BigInt(maxTransactionGas))
    return refusal(
      'TransactionGasLimitExceeded',
      `transaction gas limit too high (cap: ${maxTransactionGas}, tx: ${gasLimit})`,
    )
  const least = leastGasLimit(transaction)
  if (gasLimit < BigInt(least))
    return refusal(
      'IntrinsicGasTooLow',
      `intrinsic gas too low: gas ${gasLimit}, minimum needed ${least}`,
    )
  return undefined
}

const maxNonce = 2n ** 64n - 1n

const refusal = (reason: StaticReason, detail: string): Refused => ({ ok: false, reason, detail })
