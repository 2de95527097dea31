import { DomainError } from '#primitives'
import type { SqliteStoreOptions } from './sqlite-store.ts'
import type { Engine, QueryMethod } from './types.ts'

/** What the worker needs to build its engine. Functions cannot cross threads, modules can. */
export type WorkerSetup = {
  readonly genesis: Uint8Array
  readonly store: SqliteStoreOptions
  /** See `EngineOptions`. */
  readonly keptBlocks?: number | undefined
  /** URL of a module that exports `recover: Recover`. */
  readonly recoverModule: string
}

/** What the thread that answers queries needs. */
export type QueryWorkerSetup = Omit<WorkerSetup, 'store'> & {
  /** File of the store that the other thread writes. */
  readonly file: string
  /** One 32-bit word: not 0 while the query in hand shall end. Writing it needs no message. */
  readonly stop: ArrayBufferLike
}

/** A method of the thread that builds blocks. */
export type BlockMethod = Exclude<keyof Engine, QueryMethod>

/** From a client to its thread. */
export type WorkerRequest = {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

/** From a thread: that it is open, or the answer to a request. Errors cross as plain data. */
export type WorkerReply =
  | { readonly kind: 'open' }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number | undefined; readonly error: PlainError }

/** An error as data. */
export type PlainError = {
  readonly code: string
  readonly message: string
  readonly details: object
}

/** An error as data: its stable code if it has one, else `EngineFailed`. */
export function toPlainError(error: unknown): PlainError {
  if (error instanceof DomainError)
    return { code: error.code, message: error.message, details: error.details }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: 'EngineFailed', message, details: {} }
}

/** A failure inside an engine's thread; `cause` in `details` is the code it had there. */
export class EngineWorkerError extends DomainError<
  'EngineFailed',
  { cause: string; details: object }
> {
  override readonly code = 'EngineFailed'
}
