import { DomainError } from '#primitives'
import type { SqliteStoreOptions } from './sqlite-store.ts'
import type { Engine } from './types.ts'

/** What the worker needs to build its engine. Functions cannot cross threads, modules can. */
export type WorkerSetup = {
  readonly genesis: Uint8Array
  readonly store: SqliteStoreOptions
  /** URL of a module that exports `recover: Recover`. */
  readonly recoverModule: string
}

/** A method that crosses the thread's border by name. */
export type EngineMethod = keyof Engine

/** From the client to the worker. */
export type WorkerRequest = {
  readonly id: number
  readonly method: EngineMethod
  readonly args: readonly unknown[]
}

/** From the worker: that it is open, or the answer to a request. Errors cross as plain data. */
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

/** A failure inside the engine's thread; `cause` in `details` is the code it had there. */
export class EngineWorkerError extends DomainError<
  'EngineFailed',
  { cause: string; details: object }
> {
  override readonly code = 'EngineFailed'
}
