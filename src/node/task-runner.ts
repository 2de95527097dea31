import type { Hex, Logger } from '#primitives'
import { type OperatorId, resultDigest, type Task } from '#records'
import { resultSalt } from './reporter.ts'

/** Computes the result of a task off-chain. May fail; it is tried again while the task is open. */
export type Execute = (service: string, payload: Uint8Array) => Promise<Uint8Array>

type Run = { readonly result: Uint8Array | undefined; readonly failures: number }

/** Results kept, and tries for one attempt of a task. */
const maxRuns = 4096
const maxFailures = 3

/** Runs the tasks that an operator was drawn for, once an attempt, and keeps what they gave. */
export class TaskRunner {
  readonly #operator: OperatorId
  readonly #secret: Uint8Array
  readonly #execute: Execute
  readonly #onResult: () => void
  readonly #logger: Logger
  readonly #runs = new Map<string, Run>()

  constructor(options: {
    readonly operator: OperatorId
    /** 32 bytes that salts derive from. */
    readonly secret: Uint8Array
    readonly execute: Execute
    /** Called when a result is there that was not before. */
    readonly onResult: () => void
    readonly logger: Logger
  }) {
    this.#operator = options.operator
    this.#secret = options.secret
    this.#execute = options.execute
    this.#onResult = options.onResult
    this.#logger = options.logger
  }

  /** The result and its salt, once there. */
  resultOf(task: Task): { readonly result: Uint8Array; readonly salt: Hex } | undefined {
    const result = this.#runs.get(keyOf(task))?.result
    return result && { result, salt: resultSalt(this.#secret, task.id, task.attempt) }
  }

  /** The blinded digest of the result, once there; the first call starts the work. */
  digestOf(task: Task): Hex | undefined {
    const key = keyOf(task)
    if (!this.#runs.has(key)) this.#start(key, task, 0)
    const known = this.resultOf(task)
    return (
      known &&
      resultDigest({ task: task.id, attempt: task.attempt, operator: this.#operator, ...known })
    )
  }

  #start(key: string, task: Task, failures: number): void {
    this.#remember(key, { result: undefined, failures })
    this.#execute(task.request.service, task.request.payload).then(
      (result) => {
        this.#remember(key, { result, failures })
        this.#onResult()
      },
      (error: unknown) => {
        const { service } = task.request
        this.#logger.warn('task execution failed', { service, task: task.id, error: String(error) })
        if (failures + 1 < maxFailures) this.#start(key, task, failures + 1)
      },
    )
  }

  #remember(key: string, run: Run): void {
    this.#runs.set(key, run)
    const oldest = this.#runs.keys().next().value
    if (this.#runs.size > maxRuns && oldest !== undefined) this.#runs.delete(oldest)
  }
}

const keyOf = (task: Task): string => `${task.id}/${task.attempt}`
