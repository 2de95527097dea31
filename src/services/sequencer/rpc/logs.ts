import type { Hex } from '#primitives'
import type { Engine, LogFilter } from '../engine/types.ts'
import { invalid, RpcFailure, withinBounds } from './failure.ts'
import { formatLog } from './format.ts'
import { bytesOf, type Parameters, stateBlockAt } from './parameters.ts'
import type { RpcMethod, RpcParts } from './parts.ts'

/** Methods that find logs. */
export const logMethods = ({ engine }: RpcParts): Record<string, RpcMethod> => ({
  eth_getLogs: async (params, signal) => {
    const filter = await filterOf(engine, params)
    const result = await withinBounds(engine.logs(filter, signal))
    if (result.status === 'found') return result.logs.map(formatLog)
    throw new RpcFailure('QueryRefused', result.message)
  },
})

/** Most alternatives for the address or for one topic, and topics of a log. */
const maxAlternatives = 1000
const maxTopics = 4

async function filterOf(engine: Engine, params: Parameters): Promise<LogFilter> {
  const value = params[0]
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(0, 'filter', 'an object')
  const fields = value as Record<string, unknown>
  return {
    ...(await rangeOf(engine, fields)),
    addresses: alternatives(fields.address, 20, 'address'),
    topics: topicsOf(fields.topics),
  }
}

async function rangeOf(engine: Engine, fields: Record<string, unknown>) {
  const { blockHash, fromBlock, toBlock } = fields
  if (blockHash !== undefined && blockHash !== null) {
    if (fromBlock !== undefined || toBlock !== undefined)
      throw invalid(0, 'filter', 'a blockHash or a range, not both')
    const hash = bytesOf({ value: blockHash, index: 0, name: 'blockHash' }, 32)
    return { blockHash: hash, fromBlock: 0, toBlock: 0 }
  }
  const { number: head } = (await engine.head()).header
  const from = numberOf(fromBlock, head)
  const to = numberOf(toBlock, head)
  if (from > to) throw new RpcFailure('QueryRefused', 'invalid block range params')
  if (to > head)
    throw new RpcFailure('QueryRefused', 'block range extends beyond current head block')
  return { fromBlock: from, toBlock: to }
}

function numberOf(value: unknown, head: number): number {
  const ref = stateBlockAt([value], 0)
  if (ref.by === 'hash') throw invalid(0, 'filter', 'a range of numbers or tags')
  return ref.by === 'latest' ? head : ref.number
}

function topicsOf(value: unknown): readonly (readonly Hex[])[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > maxTopics)
    throw invalid(0, 'topics', `a list of at most ${maxTopics}`)
  return value.map((topic) => {
    // As geth reads it: null among the alternatives allows every topic, whatever follows.
    const wild: number = Array.isArray(topic) ? topic.indexOf(null) : -1
    const known = alternatives(wild < 0 ? topic : topic.slice(0, wild), 32, 'topics')
    return wild < 0 ? known : []
  })
}

/** One value, several or any. */
function alternatives(value: unknown, length: number, name: string): readonly Hex[] {
  if (value === undefined || value === null) return []
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length > maxAlternatives) throw invalid(0, name, `at most ${maxAlternatives} of them`)
  return list.map((entry) => bytesOf({ value: entry, index: 0, name }, length))
}
