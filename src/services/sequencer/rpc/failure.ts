import { DomainError } from '#primitives'

/** Why a method fails: what was asked is malformed, unknown, refused, reverted or impossible. */
export type RpcFailureCode =
  | 'InvalidParams'
  | 'HeaderNotFound'
  | 'TransactionRefused'
  | 'CallReverted'
  | 'CallFailed'
  | 'QueryRefused'

/** The failure of a method, with the number and message that geth gives. */
export class RpcFailure extends DomainError<RpcFailureCode, { readonly data?: unknown }> {
  override readonly code: RpcFailureCode
  /** Code of the JSON-RPC error object. */
  readonly rpcCode: number

  constructor(code: RpcFailureCode, message: string, data?: unknown) {
    super(message, data === undefined ? {} : { data })
    this.code = code
    this.rpcCode = rpcCodes[code]
  }
}

const rpcCodes: Readonly<Record<RpcFailureCode, number>> = {
  InvalidParams: -32602,
  HeaderNotFound: -32000,
  TransactionRefused: -32000,
  CallReverted: 3,
  CallFailed: -32000,
  QueryRefused: -32602,
}

/** The error of an argument, naming its place and what is allowed. */
export const invalid = (index: number, name: string, allowed: string): RpcFailure =>
  new RpcFailure('InvalidParams', `invalid argument ${index}: ${name} must be ${allowed}`)
