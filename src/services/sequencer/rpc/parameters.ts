import { fromHex, type Hex } from '#primitives'
import type { BlockRef, CallMessage } from '../engine/types.ts'
import { invalid, RpcFailure } from './failure.ts'

/** Positional parameters of a request. */
export type Parameters = readonly unknown[]

/** An argument and what an error calls it. */
type Argument = { readonly value: unknown; readonly index: number; readonly name: string }

const argument = (params: Parameters, index: number, name: string): Argument => {
  const value = params[index]
  if (value === undefined || value === null)
    throw new RpcFailure('InvalidParams', `missing value for required argument ${index} (${name})`)
  return { value, index, name }
}

/** A 20-byte address, lower-case. */
export const addressAt = (params: Parameters, index: number, name = 'address'): Hex =>
  bytesOf(argument(params, index, name), 20)

/** A 32-byte hash. */
export const hashAt = (params: Parameters, index: number, name = 'hash'): Hex =>
  bytesOf(argument(params, index, name), 32)

/** Bytes of any length. */
export const dataAt = (params: Parameters, index: number, name = 'data'): Uint8Array =>
  fromHex(bytesOf(argument(params, index, name), undefined))

/** A non-negative integer that counts something: at most 2^53 - 1. */
export const countAt = (params: Parameters, index: number, name: string): number =>
  countOf(argument(params, index, name))

/** A storage key: a number or a word, left-padded to 32 bytes. */
export function storageKeyAt(params: Parameters, index: number): Hex {
  const { value } = argument(params, index, 'key')
  const isHex = typeof value === 'string' && /^0x[0-9a-fA-F]*$/.test(value)
  if (!isHex) throw invalid(index, 'key', 'hex of at most 32 bytes')
  if (value.length > 66)
    throw new RpcFailure(
      'InvalidParams',
      `storage key too long (want at most 32 bytes): "${value.slice(0, 80)}"`,
    )
  return `0x${value.slice(2).toLowerCase().padStart(64, '0')}`
}

/** Whether an optional flag is set. */
export function flagAt(params: Parameters, index: number, name: string): boolean {
  const value = params[index] ?? false
  if (typeof value !== 'boolean') throw invalid(index, name, 'true or false')
  return value
}

/** A block by number, tag or hash (EIP-1898); absent is the latest. */
export type BlockChoice = BlockRef | { readonly by: 'pending' }

/**
 * The block that a state query asks for. Every block is final once it is decided, so `safe` and
 * `finalized` are the latest.
 */
export function blockAt(params: Parameters, index: number): BlockChoice {
  const value = params[index] ?? 'latest'
  if (typeof value === 'object') return blockObject(value as Record<string, unknown>, index)
  switch (value) {
    case 'latest':
    case 'safe':
    case 'finalized':
      return { by: 'latest' }
    case 'pending':
      return { by: 'pending' }
    case 'earliest':
      return { by: 'number', number: 0 }
    default:
      return typeof value === 'string' && value.length === 66
        ? { by: 'hash', hash: bytesOf({ value, index, name: 'block' }, 32) }
        : { by: 'number', number: countOf({ value, index, name: 'block' }) }
  }
}

/** As `blockAt`, with the latest block for `pending`: state that no block has yet is nobody's. */
export function stateBlockAt(params: Parameters, index: number): BlockRef {
  const choice = blockAt(params, index)
  return choice.by === 'pending' ? { by: 'latest' } : choice
}

function blockObject(value: Record<string, unknown>, index: number): BlockRef {
  const { blockHash, blockNumber } = value
  if ((blockHash === undefined) === (blockNumber === undefined))
    throw invalid(index, 'block', 'an object with either blockHash or blockNumber')
  if (blockHash !== undefined)
    return { by: 'hash', hash: bytesOf({ value: blockHash, index, name: 'blockHash' }, 32) }
  return { by: 'number', number: countOf({ value: blockNumber, index, name: 'blockNumber' }) }
}

/** The message of `eth_call` and `eth_estimateGas`. */
export function messageAt(params: Parameters, index: number): CallMessage & FeeFields {
  const { value } = argument(params, index, 'transaction')
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalid(index, 'transaction', 'an object')
  const fields = value as Record<string, unknown>
  const part = (name: string): Argument | undefined =>
    fields[name] === undefined || fields[name] === null
      ? undefined
      : { value: fields[name], index, name: `transaction.${name}` }
  const optional = <T>(name: string, read: (argument: Argument) => T): T | undefined => {
    const found = part(name)
    return found && read(found)
  }
  return {
    from: optional('from', (found) => bytesOf(found, 20)),
    to: optional('to', (found) => bytesOf(found, 20)),
    gas: optional('gas', quantityOf),
    gasPrice: optional('gasPrice', quantityOf),
    maxFeePerGas: optional('maxFeePerGas', quantityOf),
    maxPriorityFeePerGas: optional('maxPriorityFeePerGas', quantityOf),
    value: optional('value', quantityOf),
    data: callData(optional('input', anyBytes), optional('data', anyBytes)),
    accessList: optional('accessList', accessListOf),
    authorizations: optional('authorizationList', authorizationsOf),
  }
}

/** Fees of a message as a client names them. */
export type FeeFields = {
  readonly maxFeePerGas: bigint | undefined
  readonly maxPriorityFeePerGas: bigint | undefined
}

const anyBytes = (found: Argument): Hex => bytesOf(found, undefined)

function callData(input: Hex | undefined, data: Hex | undefined): Uint8Array | undefined {
  if (input !== undefined && data !== undefined && input !== data)
    throw new RpcFailure(
      'InvalidParams',
      'both "data" and "input" are set and not equal. ' +
        'Please use "input" to pass transaction call data',
    )
  const bytes = input ?? data
  return bytes === undefined ? undefined : fromHex(bytes)
}

function accessListOf({ value, index, name }: Argument): CallMessage['accessList'] {
  if (!Array.isArray(value)) throw invalid(index, name, 'a list')
  return value.map((entry: Record<string, unknown> | null) => {
    const keys = entry?.storageKeys
    if (!Array.isArray(keys)) throw invalid(index, name, 'a list of address and storageKeys')
    return {
      address: bytesOf({ value: entry?.address, index, name: `${name}.address` }, 20),
      storageKeys: keys.map((key) =>
        bytesOf({ value: key, index, name: `${name}.storageKeys` }, 32),
      ),
    }
  })
}

function authorizationsOf({ value, index, name }: Argument): CallMessage['authorizations'] {
  if (!Array.isArray(value)) throw invalid(index, name, 'a list')
  return value.map((entry: Record<string, unknown> | null) => {
    const part = (field: string): Argument => ({
      value: entry?.[field],
      index,
      name: `${name}.${field}`,
    })
    return {
      chainId: quantityOf(part('chainId')),
      address: fromHex(bytesOf(part('address'), 20)),
      nonce: quantityOf(part('nonce')),
      yParity: countOf(part('yParity')),
      r: quantityOf(part('r')),
      s: quantityOf(part('s')),
    }
  })
}

/** Hex bytes, lower-case, of a length if one is given. */
export function bytesOf({ value, index, name }: Argument, length: number | undefined): Hex {
  const isHex = typeof value === 'string' && /^0x([0-9a-fA-F]{2})*$/.test(value)
  if (!isHex || (length !== undefined && value.length !== 2 + 2 * length))
    throw invalid(index, name, length === undefined ? '0x-prefixed hex' : `${length} bytes of hex`)
  return value.toLowerCase() as Hex
}

function quantityOf({ value, index, name }: Argument): bigint {
  const isQuantity = typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value)
  if (!isQuantity) throw invalid(index, name, 'a 0x-prefixed integer of at most 256 bits')
  return BigInt(value)
}

/** A number or a 0x-prefixed integer as a safe integer. */
export function countOf(argument: Argument): number {
  const { value, index, name } = argument
  const count =
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
      ? BigInt(value)
      : quantityOf(argument)
  if (count > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(index, name, 'at most 2^53 - 1')
  return Number(count)
}
