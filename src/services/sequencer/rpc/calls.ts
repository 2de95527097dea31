import { fromUtf8, toHex } from '#primitives'
import type { CallMessage, CallResult } from '../engine/types.ts'
import { RpcFailure, withinBounds } from './failure.ts'
import { quantity } from './format.ts'
import { type FeeFields, messageAt, type Parameters, stateBlockAt } from './parameters.ts'
import type { RpcMethod, RpcParts } from './parts.ts'
import { known } from './state.ts'

/** Methods that execute a message and forget it. */
export const callMethods = (parts: RpcParts): Record<string, RpcMethod> => ({
  eth_call: async (params, signal) => {
    refuseOverrides(params)
    const ref = stateBlockAt(params, 1)
    const message = await priced(parts, messageAt(params, 0))
    const result = known(await withinBounds(parts.engine.call(message, ref, signal)))
    if (result.status === 'returned') return toHex(result.data)
    throw failureOf(result)
  },
  eth_estimateGas: async (params, signal) => {
    refuseOverrides(params)
    const ref = stateBlockAt(params, 1)
    const message = await priced(parts, messageAt(params, 0))
    const result = known(await withinBounds(parts.engine.estimateGas(message, ref, signal)))
    if (result.status === 'estimated') return quantity(result.gas)
    throw failureOf(result)
  },
})

function refuseOverrides(params: Parameters): void {
  if (params[2] !== undefined && params[2] !== null)
    throw new RpcFailure('InvalidParams', 'invalid argument 2: state overrides are not available')
}

/** The message with one gas price, from whichever fee fields the client gave. */
async function priced(
  { engine }: RpcParts,
  { maxFeePerGas, maxPriorityFeePerGas, ...message }: CallMessage & FeeFields,
): Promise<CallMessage> {
  if (maxFeePerGas === undefined && maxPriorityFeePerGas === undefined) return message
  if (message.gasPrice !== undefined)
    throw new RpcFailure(
      'InvalidParams',
      'both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified',
    )
  if (maxFeePerGas === undefined || maxFeePerGas === 0n) return message
  const tip = maxPriorityFeePerGas ?? 0n
  if (maxFeePerGas < tip)
    throw new RpcFailure(
      'InvalidParams',
      `maxFeePerGas (${maxFeePerGas}) < maxPriorityFeePerGas (${tip})`,
    )
  const { baseFeePerGas } = (await engine.head()).header
  const wanted = baseFeePerGas + tip
  return { ...message, gasPrice: wanted < maxFeePerGas ? wanted : maxFeePerGas }
}

type Fault = Exclude<CallResult, { status: 'returned' }>

function failureOf(result: Fault): RpcFailure {
  if (result.status === 'failed') return new RpcFailure('CallFailed', wordsOf(result.message))
  const reason = revertReason(result.data)
  const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`
  return new RpcFailure('CallReverted', message, toHex(result.data))
}

/** geth's words for what the EVM library calls otherwise. */
const gethWords: Readonly<Record<string, string>> = {
  'invalid JUMP': 'invalid jump destination',
  'static state change': 'write protection',
  'create collision': 'contract address collision',
  'code size to deposit exceeds maximum code size': 'max code size exceeded',
}

const wordsOf = (message: string): string => gethWords[message] ?? message

/** The text of Solidity's `Error(string)`; undefined for other data. */
function revertReason(data: Uint8Array): string | undefined {
  if (data.length < 68 || toHex(data.subarray(0, 4)) !== errorSelector) return undefined
  const length = Number(BigInt(toHex(data.subarray(36, 68))))
  if (BigInt(toHex(data.subarray(4, 36))) !== 32n || 68 + length > data.length) return undefined
  try {
    return fromUtf8(data.subarray(68, 68 + length))
  } catch {
    return undefined // not UTF-8: the data says it all
  }
}

/** First bytes of keccak-256 of `Error(string)`. */
const errorSelector = '0x08c379a0'
