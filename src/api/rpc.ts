import { isDeeperThan, toJsonValue } from './json.ts'
import { RpcError, type RpcFault, rpcCodes } from './rpc-error.ts'

/** Most requests in one batch, and deepest nesting of one body. */
export const maxBatch = 20
export const maxJsonDepth = 32

/** Identifier that a client chose; its answer carries the same. */
export type RpcId = string | number | null

/** One well-formed request; `id` is undefined for a notification, which gets no answer. */
export type RpcRequest = {
  readonly id: RpcId | undefined
  readonly method: string
  readonly params: readonly unknown[]
}

/** An entry of a body that is no request, with as much of its id as could be read. */
export type RpcMistake = { readonly id: RpcId; readonly error: RpcError }

/** What one body asks for; a batch is answered by an array, in any case. */
export type RpcBody = {
  readonly isBatch: boolean
  readonly entries: readonly (RpcRequest | RpcMistake)[]
}

/** One answer as it goes over the wire. */
export type RpcResponse =
  | { readonly jsonrpc: '2.0'; readonly id: RpcId; readonly result: unknown }
  | { readonly jsonrpc: '2.0'; readonly id: RpcId; readonly error: RpcFault }

/**
 * Reads a JSON-RPC 2.0 body. Never throws: a body that cannot be answered entry by entry is an
 * `RpcError` (-32700, or -32600 for depth and batch limits), a bad entry is a mistake of its own.
 *
 * @see https://www.jsonrpc.org/specification
 */
export function parseRpcBody(text: string): RpcBody | RpcError {
  if (isDeeperThan(text, maxJsonDepth))
    return invalidRequest(`nested deeper than ${maxJsonDepth} levels`)
  const body = parseJson(text)
  if (body instanceof RpcError) return body
  if (!Array.isArray(body)) return { isBatch: false, entries: [parseEntry(body)] }
  if (body.length === 0) return invalidRequest('empty batch')
  if (body.length > maxBatch)
    return invalidRequest(`batch of ${body.length}; at most ${maxBatch} requests are allowed`)
  return { isBatch: true, entries: body.map(parseEntry) }
}

/** Whether an entry is no request. */
export const isMistake = (entry: RpcRequest | RpcMistake): entry is RpcMistake => 'error' in entry

/** The answer that carries a result; `undefined` is written as null. */
export const toResultResponse = (id: RpcId, result: unknown): RpcResponse => ({
  jsonrpc: '2.0',
  id,
  result: toJsonValue(result) ?? null,
})

/** The answer that carries an error. */
export const toErrorResponse = (id: RpcId, fault: RpcFault): RpcResponse => ({
  jsonrpc: '2.0',
  id,
  error:
    fault.data === undefined
      ? { code: fault.code, message: fault.message }
      : { ...fault, data: toJsonValue(fault.data) },
})

const invalidRequest = (message: string): RpcError =>
  new RpcError(rpcCodes.InvalidRequest, `invalid request: ${message}`)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return new RpcError(rpcCodes.ParseError, 'parse error: the body is not JSON')
  }
}

function parseEntry(entry: unknown): RpcRequest | RpcMistake {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return { id: null, error: invalidRequest('not an object') }
  const { jsonrpc, id, method, params } = entry as Record<string, unknown>
  if (id !== undefined && !isId(id))
    return { id: null, error: invalidRequest('"id" is no string, number or null') }
  const mistake = (error: RpcError): RpcMistake => ({ id: id ?? null, error })
  if (jsonrpc !== '2.0') return mistake(invalidRequest('"jsonrpc" is not "2.0"'))
  if (typeof method !== 'string') return mistake(invalidRequest('"method" is no string'))
  // geth's own client used to send null for none; it is taken by geth, so clients may send it.
  if (params === undefined || params === null) return { id, method, params: [] }
  if (Array.isArray(params)) return { id, method, params }
  if (typeof params === 'object')
    return id === undefined ? { id, method, params: [params] } : mistake(byName)
  return mistake(invalidRequest('"params" is no array'))
}

const byName = new RpcError(
  rpcCodes.InvalidParams,
  'invalid params: named parameters are not taken; send an array',
)

const isId = (value: unknown): value is RpcId =>
  value === null || typeof value === 'string' || typeof value === 'number'
