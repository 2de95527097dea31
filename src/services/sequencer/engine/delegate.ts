import { Account, Address } from '@ethereumjs/util'
import { concatBytes, fromHex } from '#primitives'
import type { Authorization } from '../state/ethereum-transaction.ts'
import type { Machine } from './machine.ts'
import { authorityOf, type Recover } from './recover.ts'
import { delegationPrefix, senderState } from './validity.ts'

/** Puts a message's delegations into effect, as a transaction does before it runs (EIP-7702). */
export async function delegate(
  { vm, state, common }: Machine,
  authorizations: readonly Authorization[],
  recover: Recover,
): Promise<void> {
  for (const one of authorizations) {
    if (one.chainId !== 0n && one.chainId !== common.chainId()) continue
    const authority = authorityOf(one, recover)
    if (!authority) continue
    vm.evm.journal.addAlwaysWarmAddress(authority)
    const address = new Address(fromHex(authority))
    const { nonce, isContract } = await senderState(state, address)
    if (isContract || nonce !== one.nonce) continue
    const account = (await state.getAccount(address)) ?? new Account()
    account.nonce += 1n
    await vm.evm.journal.putAccount(address, account)
    await state.putCode(address, codeOf(one))
  }
}

/** A delegation to nobody ends the one that there is. */
const codeOf = ({ address }: Authorization): Uint8Array =>
  address.every((byte) => byte === 0)
    ? new Uint8Array(0)
    : concatBytes(fromHex(delegationPrefix), address)
