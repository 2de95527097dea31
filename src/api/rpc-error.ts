import { DomainError } from '#primitives'

/** Error codes of JSON-RPC 2.0 §5.1, and those that Ethereum clients add (EIP-1474). */
export const rpcCodes = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
  /** The request was understood and refused; `data.reason` is a code of `docs/reasons.md`. */
  Refused: -32000,
  /** The method did not answer in time. */
  RequestTimeout: -32002,
  /** The operator is starting, stopping, or has failed. */
  NotReady: -32004,
  /** The gateway has as many requests in hand as it takes. */
  Overloaded: -32005,
} as const

export type RpcErrorCode = keyof typeof rpcCodes | 'RemoteError'

/**
 * A failure as JSON-RPC writes it. `code` is the name in `docs/reasons.md`, `rpcCode` the number on
 * the wire. `RemoteError` is an answer whose number is not ours (a service's own, such as 3).
 */
export class RpcError extends DomainError<RpcErrorCode, { readonly data?: unknown }> {
  override readonly code: RpcErrorCode
  readonly rpcCode: number

  constructor(rpcCode: number, message: string, data?: unknown) {
    super(message, data === undefined ? {} : { data })
    this.rpcCode = rpcCode
    this.code = nameOf(rpcCode)
  }
}

const nameOf = (rpcCode: number): RpcErrorCode =>
  (Object.keys(rpcCodes) as (keyof typeof rpcCodes)[]).find((name) => rpcCodes[name] === rpcCode) ??
  'RemoteError'

/** The error of a refused request: its reason code, and words for people. */
export const refusal = (reason: string, detail?: string): RpcError =>
  new RpcError(rpcCodes.Refused, detail === undefined ? reason : `${reason}: ${detail}`, { reason })

/** The error of parameters that a method cannot take. */
export const invalidParams = (message: string): RpcError =>
  new RpcError(rpcCodes.InvalidParams, message)

/** The error object of the wire. */
export type RpcFault = { readonly code: number; readonly message: string; readonly data?: unknown }

/**
 * What the caller is told of a thrown value: errors that carry an integer `rpcCode` as they are
 * (services define their own without importing this room), others as -32603 without their words.
 */
export function toFault(thrown: unknown): RpcFault {
  if (!(thrown instanceof Error) || !('rpcCode' in thrown) || !Number.isInteger(thrown.rpcCode))
    return { code: rpcCodes.InternalError, message: 'internal error' }
  const data = dataOf(thrown)
  const fault = { code: thrown.rpcCode as number, message: thrown.message }
  return data === undefined ? fault : { ...fault, data }
}

const dataOf = (error: Error): unknown => {
  const holder: object = error instanceof DomainError ? error.details : error
  return 'data' in holder ? holder.data : undefined
}
