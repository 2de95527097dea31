import type { Hex } from '#primitives'
import { authorityOf, type Recover } from '../engine/recover.ts'
import { type Refused, refused } from '../engine/validity.ts'
import type { EthereumTransaction } from '../state/ethereum-transaction.ts'
import type { SenderQueue } from './sender-queue.ts'

/**
 * Why a transaction may not wait, since an account with a delegation (EIP-7702) can lose its
 * balance or use a nonce through a transaction of somebody else, which ends all that wait behind
 * it.
 */
export type DelegationReason = 'DelegatedSenderBusy' | 'DelegatedNonceGap' | 'AuthorityReserved'

/**
 * Accounts that the transaction's authorizations would delegate on this chain, each once. Whether
 * nonce and code let them is judged at execution.
 */
export function authoritiesOf(
  { authorizations }: EthereumTransaction,
  chainId: number,
  recover: Recover,
): Hex[] {
  const found = authorizations
    .filter((one) => one.chainId === 0n || one.chainId === BigInt(chainId))
    .map((one) => authorityOf(one, recover))
  return [...new Set(found)].filter((one) => one !== undefined)
}

/**
 * geth's rules: an account that is delegated, or that a waiting transaction would delegate, has one
 * transaction waiting, without a gap; an account with more than one is not to be delegated.
 *
 * @param isPending - whether a waiting transaction would delegate the account.
 * @param waitingOf - how many transactions of an account wait.
 */
export function delegationRefusal(
  { address, state, byNonce }: SenderQueue,
  nonce: bigint,
  authorities: readonly Hex[],
  isPending: (account: Hex) => boolean,
  waitingOf: (account: Hex) => number,
): Refused<DelegationReason> | undefined {
  const isReplacement = byNonce.has(nonce)
  if ((state.isDelegated || isPending(address)) && !isReplacement) {
    if (byNonce.has(state.nonce))
      return refused(
        'DelegatedSenderBusy',
        'in-flight transaction limit reached for delegated accounts',
      )
    if (nonce !== state.nonce)
      return refused('DelegatedNonceGap', 'gapped-nonce tx from delegated accounts')
  }
  return authorities.some((account) => waitingOf(account) > 1)
    ? refused('AuthorityReserved', 'authority already reserved')
    : undefined
}
