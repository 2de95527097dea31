/** What a transaction offers per gas (EIP-1559), in wei. */
export type Fees = {
  readonly maxFeePerGasWei: bigint
  readonly tipPerGasWei: bigint
}

/** How an account prices its transactions. */
export type FeePolicy = {
  /** Offered to the proposer of the block per gas. */
  readonly tipPerGasWei: bigint
  /** Never offered more than this per gas, tip included. */
  readonly maxFeePerGasWei: bigint
}

/** 1 gwei of tip; a submission of 60,000 gas never costs more than 0.03 ether. */
export const defaultFeePolicy: FeePolicy = {
  tipPerGasWei: 10n ** 9n,
  maxFeePerGasWei: 500n * 10n ** 9n,
}

/** Twice the base fee and the tip: good for five full blocks, each of which raises it by 1/8. */
export const quoteFees = (policy: FeePolicy, baseFeePerGasWei: bigint): Fees =>
  capped(policy, {
    maxFeePerGasWei: 2n * baseFeePerGasWei + policy.tipPerGasWei,
    tipPerGasWei: policy.tipPerGasWei,
  })

/**
 * What replaces a transaction of the same nonce: 1/8 more of both, rounded up (nodes ask for at
 * least 1/10), or today's quote where that is higher.
 *
 * @returns undefined when the policy's ceiling leaves no room for a raise.
 */
export function raiseFees(policy: FeePolicy, before: Fees, quote: Fees): Fees | undefined {
  const raised = {
    maxFeePerGasWei: max(raise(before.maxFeePerGasWei), quote.maxFeePerGasWei),
    tipPerGasWei: max(raise(before.tipPerGasWei), quote.tipPerGasWei),
  }
  return raised.maxFeePerGasWei > policy.maxFeePerGasWei ? undefined : capped(policy, raised)
}

const raise = (feeWei: bigint): bigint => (feeWei * 9n + 7n) / 8n

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)

function capped(policy: FeePolicy, fees: Fees): Fees {
  const maxFeePerGasWei = min(fees.maxFeePerGasWei, policy.maxFeePerGasWei)
  return { maxFeePerGasWei, tipPerGasWei: min(fees.tipPerGasWei, maxFeePerGasWei) }
}
