import type { Hex, Wei } from '#primitives'
import { maxUint256 } from '#records'
import { balanceOf, type Ledger, withBalance, withChain } from '../ledger.ts'

/**
 * The ledger with more in an account: what was taken from elsewhere in it, so that it always fits.
 */
export const credit = (ledger: Ledger, account: Hex, amount: Wei): Ledger =>
  withBalance(ledger, account, (balanceOf(ledger, account) + amount) as Wei)

/**
 * The ledger with a deposit from L1. Accounts, fees and pool together never hold more than one
 * `uint256`, so that no sum of them overflows; what goes beyond, more than L1 can hold, is left
 * out.
 */
export function deposit(ledger: Ledger, account: Hex, amountWei: bigint): Ledger {
  const { supply } = ledger.chain
  const room = maxUint256 - supply
  const taken = (amountWei < room ? amountWei : room) as Wei
  return withChain(credit(ledger, account, taken), { supply: (supply + taken) as Wei })
}
