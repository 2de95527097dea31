import { DomainError } from '#primitives'
import { startThread, type Thread } from './thread.ts'
import type { Engine, QueryMethod } from './types.ts'
import { EngineWorkerError, type QueryWorkerSetup, type WorkerSetup } from './worker-protocol.ts'

/** How much work of clients an engine takes on. */
export type QueryBounds = {
  /** Queries that wait for their turn; more are refused. */
  readonly waiting: number
  /** From a query's arrival to its answer, its wait included; then it ends without one. */
  readonly timeoutMs: number
  /** Time in which a stopped query must have ended; then its thread does, and another starts. */
  readonly graceMs: number
}

/** What holds where nothing else is configured; the time is what geth gives a call. */
export const queryBounds: QueryBounds = { waiting: 64, timeoutMs: 5_000, graceMs: 500 }

/** JavaScript objects of the thread: far above what a call can need, as memory costs gas too. */
const maxHeapMb = 256

/** Queries whose thread can be ended at once. */
export type QueryClient = Pick<Engine, QueryMethod | 'close'>

/** The queries of an engine whose store is in a file; the thread starts with the first of them. */
export function createQueryClient(setup: WorkerSetup, bounds: QueryBounds): QueryClient {
  const { genesis, recoverModule, store } = setup
  const line = new QueryLine({ genesis, recoverModule, file: store.file }, bounds)
  return {
    call: (message, ref, signal) => line.ask('call', [message, ref], signal),
    estimateGas: (message, ref, signal) => line.ask('estimateGas', [message, ref], signal),
    logs: (filter, signal) => line.ask('logs', [filter], signal),
    close: () => line.close(),
  }
}

type Answer<Name extends QueryMethod> = Awaited<ReturnType<Engine[Name]>>

type Query = {
  readonly method: QueryMethod
  readonly args: readonly unknown[]
  readonly answer: PromiseWithResolvers<unknown>
}

/** Hands queries to the thread one by one, in their order: so the one that runs can be stopped. */
class QueryLine {
  readonly #setup: Omit<QueryWorkerSetup, 'stop'>
  readonly #bounds: QueryBounds
  readonly #stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  readonly #waiting = new Set<Query>()
  #running: Query | undefined
  #thread: Thread | undefined
  #isClosed = false

  constructor(setup: Omit<QueryWorkerSetup, 'stop'>, bounds: QueryBounds) {
    this.#setup = setup
    this.#bounds = bounds
  }

  async ask<Name extends QueryMethod>(
    method: Name,
    args: readonly unknown[],
    signal: AbortSignal | undefined,
  ): Promise<Answer<Name>> {
    const { waiting, timeoutMs } = this.#bounds
    signal?.throwIfAborted()
    if (this.#isClosed) throw closed()
    if (this.#waiting.size >= waiting)
      throw new TooManyQueriesError('too many calls and queries wait; try again', { waiting })
    const query: Query = { method, args, answer: Promise.withResolvers() }
    const end = (reason: unknown) => this.#end(query, reason)
    const timer = setTimeout(() => end(timedOut(timeoutMs)), timeoutMs)
    const abort = () => end(signal?.reason)
    signal?.addEventListener('abort', abort)
    this.#waiting.add(query)
    this.#next()
    try {
      return (await query.answer.promise) as Answer<Name>
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const query of this.#waiting) this.#end(query, closed())
    if (this.#running) this.#end(this.#running, closed())
    await this.#thread?.terminate()
  }

  #next(): void {
    const [query] = this.#waiting
    if (this.#running || !query) return
    this.#waiting.delete(query)
    this.#running = query
    void this.#run(query)
  }

  async #run({ method, args, answer }: Query): Promise<void> {
    Atomics.store(this.#stop, 0, 0)
    if (!this.#thread || this.#thread.hasEnded())
      this.#thread = startThread(
        'query-worker',
        { ...this.#setup, stop: this.#stop.buffer },
        maxHeapMb,
      )
    await this.#thread.request(method, args).then(answer.resolve, answer.reject)
    this.#running = undefined
    this.#next()
  }

  /**
   * Answers a query with why it ended; one that runs is stopped, by force where that is not heard.
   */
  #end(query: Query, reason: unknown): void {
    query.answer.reject(reason)
    if (this.#waiting.delete(query) || this.#running !== query) return
    Atomics.store(this.#stop, 0, 1)
    const thread = this.#thread
    const force = () => {
      if (this.#running === query) void thread?.terminate()
    }
    // A thread that still starts cannot hear yet: ending it would only start the next.
    const start = () => setTimeout(force, this.#bounds.graceMs).unref()
    void thread?.opened.then(start, () => {})
  }
}

const closed = (): EngineWorkerError =>
  new EngineWorkerError('the engine has ended', { cause: 'EngineClosed', details: {} })

const timedOut = (timeoutMs: number): QueryTimedOutError =>
  new QueryTimedOutError(`execution aborted (timeout = ${timeoutMs / 1000}s)`, { timeoutMs })

/** As many queries wait as an engine lets wait. */
export class TooManyQueriesError extends DomainError<'TooManyQueries', { waiting: number }> {
  override readonly code = 'TooManyQueries'
}

/** A query took longer than an engine gives it. */
export class QueryTimedOutError extends DomainError<'QueryTimedOut', { timeoutMs: number }> {
  override readonly code = 'QueryTimedOut'
}
