import type { EthereumTransaction } from './ethereum-transaction.ts'

/** The part of a transaction that gas is due for before anything runs. */
export type GasBearing = Pick<EthereumTransaction, 'to' | 'data' | 'accessList'> & {
  readonly authorizations: readonly unknown[]
}

/** Gas that is charged before execution (yellow paper, EIP-2028, 2930, 3860, 7702). */
export function intrinsicGas({ to, data, accessList, authorizations }: GasBearing): number {
  const zeros = countZeros(data)
  const words = Math.floor((data.length + 31) / 32)
  const creation = to ? 0 : creationGas + initcodeWordGas * words
  let access = 0
  for (const entry of accessList) access += addressGas + storageKeyGas * entry.keys.length
  const calldata = zeroByteGas * zeros + byteGas * (data.length - zeros)
  return baseGas + calldata + creation + access + authorizationGas * authorizations.length
}

/** Least gas that a transaction pays for its calldata (EIP-7623). */
export function floorGas(data: Uint8Array): number {
  const zeros = countZeros(data)
  return baseGas + floorTokenGas * (zeros + 4 * (data.length - zeros))
}

/** The gas limit below which a transaction is invalid. */
export const leastGasLimit = (transaction: GasBearing): number =>
  Math.max(intrinsicGas(transaction), floorGas(transaction.data))

/** Largest initcode in bytes (EIP-3860). */
export const maxInitcodeBytes = 49_152
/** Largest gas limit of one transaction since Osaka (EIP-7825). */
export const maxTransactionGas = 16_777_216

const baseGas = 21_000
const creationGas = 32_000
const initcodeWordGas = 2
const zeroByteGas = 4
const byteGas = 16
const addressGas = 2400
const storageKeyGas = 1900
const authorizationGas = 25_000
const floorTokenGas = 10

function countZeros(data: Uint8Array): number {
  let zeros = 0
  for (const byte of data) if (byte === 0) zeros++
  return zeros
}
