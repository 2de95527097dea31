import { DomainError } from '#primitives'
import { QueryTimedOutError, TooManyQueriesError } from '../engine/query-client.ts'

/** Why a method fails: what was asked is malformed, unknown, refused, reverted or impossible. */
export type RpcFailureCode =
  | 'InvalidParams'
  | 'HeaderNotFound'
  | 'TransactionRefused'
  | 'CallReverted'
  | 'CallFailed'
  | 'QueryRefused'
  | 'QueryTimedOut'
  | 'TooManyQueries'

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
  QueryTimedOut: -32000,
  TooManyQueries: -32005,
}

/** The error of an argument, naming its place and what is allowed. */
export const invalid = (index: number, name: string, allowed: string): RpcFailure =>
  new RpcFailure('InvalidParams', `invalid argument ${index}: ${name} must be ${allowed}`)

/** What a query gave; that the engine's bounds ended it is told to the client. */
export async function withinBounds<T>(query: Promise<T>): Promise<T> {
  try {
    return await query
  } catch (error) {
    if (!(error instanceof QueryTimedOutError || error instanceof TooManyQueriesError)) throw error
    throw new RpcFailure(error.code, error.message, { reason: error.code })
  }
}
