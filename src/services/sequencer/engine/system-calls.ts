import { type Address, createAddressFromString } from '@ethereumjs/util'
import { bigintToBytes, concatBytes, fromHex, type Hex, sha256, toHex } from '#primitives'
import { emptyRequestsHash } from '../state/header.ts'
import {
  beaconRootsAddress,
  beaconRootsLength,
  consolidationRequestsAddress,
  historyAddress,
  historyLength,
  systemAddress,
  withdrawalRequestsAddress,
} from '../state/system-contracts.ts'
import type { Machine } from './machine.ts'

/** What every block does before its first transaction (EIP-4788, EIP-2935). */
export async function beginBlock(
  { state }: Machine,
  block: {
    readonly number: number
    readonly timestamp: number
    readonly parentHash: Hex
    readonly parentBeaconBlockRoot: Hex
  },
): Promise<void> {
  const put = async (address: Address, slot: number, value: Uint8Array) => {
    if ((await state.getCode(address)).length > 0)
      await state.putStorage(address, bigintToBytes(BigInt(slot), 32), value)
  }
  const at = block.timestamp % beaconRootsLength
  await put(beaconRoots, at, bigintToBytes(BigInt(block.timestamp), 32))
  await put(beaconRoots, at + beaconRootsLength, fromHex(block.parentBeaconBlockRoot))
  await put(history, (block.number - 1) % historyLength, fromHex(block.parentHash))
}

/**
 * What every block does after its last transaction: collect the requests that contracts made to a
 * consensus layer (EIP-7002, EIP-7251). Only their hash stays, in the header (EIP-7685). Deposits
 * are none: this chain has no deposit contract.
 */
export async function endBlock(machine: Machine): Promise<Hex> {
  const withdrawals = await systemCall(machine, withdrawalRequests)
  const consolidations = await systemCall(machine, consolidationRequests)
  await machine.vm.evm.journal.cleanup()
  if (withdrawals.length + consolidations.length === 0) return emptyRequestsHash
  const hashes: Uint8Array[] = []
  if (withdrawals.length > 0) hashes.push(sha256(Uint8Array.of(1), withdrawals))
  if (consolidations.length > 0) hashes.push(sha256(Uint8Array.of(2), consolidations))
  return toHex(sha256(concatBytes(...hashes)))
}

async function systemCall({ vm, state }: Machine, to: Address): Promise<Uint8Array> {
  const before = await state.getAccount(system)
  const { execResult } = await vm.evm.runCall({
    caller: system,
    to,
    gasLimit: systemCallGas,
    skipNonceIncrement: true,
  })
  // The call pays nothing and leaves no account of its caller behind.
  if (before) await state.putAccount(system, before)
  else await state.deleteAccount(system)
  return execResult.returnValue
}

/** Gas of a system call, outside of the block's (EIP-7002). */
const systemCallGas = 30_000_000n

const system = createAddressFromString(systemAddress)
const beaconRoots = createAddressFromString(beaconRootsAddress)
const history = createAddressFromString(historyAddress)
const withdrawalRequests = createAddressFromString(withdrawalRequestsAddress)
const consolidationRequests = createAddressFromString(consolidationRequestsAddress)
