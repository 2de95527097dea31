import {
  type Clock,
  fromHex,
  type Hex,
  type Logger,
  setBounded,
  sha256Hex,
  utf8,
} from '#primitives'
import { maxResultBytes, type OperatorId, resultDigest, type Task } from '#records'

/** Computes the result of a task off-chain. May fail; it is tried again a few times. */
export type Execute = (service: string, payload: Uint8Array) => Promise<Uint8Array>

type Answer = { readonly result: Uint8Array; readonly salt: Hex; readonly digest: Hex }

/** Draws that are remembered, and executions at a time. */
const maxRuns = 8192
const maxRunning = 32
/** Tries for one draw of a task, and the pause after the first; it doubles. */
const maxTries = 4
const firstPauseMs = 200

/** Runs the tasks that an operator was drawn for, once a draw, and keeps what they gave. */
export class TaskRunner {
  readonly #operator: OperatorId
  readonly #secret: Uint8Array
  readonly #execute: Execute
  readonly #onResult: () => void
  readonly #clock: Clock
  readonly #logger: Logger
  /** By task and attempt; undefined while it runs, and when it failed for good. */
  readonly #answers = new Map<string, Answer | undefined>()
  readonly #pauses = new Set<() => void>()
  #running = 0
  #isStopped = false

  constructor(options: {
    readonly operator: OperatorId
    /** 32 bytes that salts derive from. */
    readonly secret: Uint8Array
    readonly execute: Execute
    /** Called when a result is there that was not before; never throws. */
    readonly onResult: () => void
    readonly clock: Clock
    readonly logger: Logger
  }) {
    this.#operator = options.operator
    this.#secret = options.secret
    this.#execute = options.execute
    this.#onResult = options.onResult
    this.#clock = options.clock
    this.#logger = options.logger
  }

  /** The result and its salt, once there. */
  resultOf(task: Task): { readonly result: Uint8Array; readonly salt: Hex } | undefined {
    const known = this.#answers.get(keyOf(task))
    return known && { result: known.result, salt: known.salt }
  }

  /** The blinded digest of the result, once there; the first call starts the work if it can. */
  digestOf(task: Task): Hex | undefined {
    const key = keyOf(task)
    if (!this.#answers.has(key) && this.#running < maxRunning && !this.#isStopped)
      void this.#run(key, task)
    return this.#answers.get(key)?.digest
  }

  /** Ends the pauses; what is being executed ends unheard. */
  stop(): void {
    this.#isStopped = true
    for (const end of this.#pauses) end()
  }

  async #run(key: string, task: Task): Promise<void> {
    this.#running += 1
    setBounded(this.#answers, key, undefined, maxRuns)
    const result = await this.#tryAll(task)
    this.#running -= 1
    if (!result || this.#isStopped) return
    setBounded(this.#answers, key, this.#answerOf(task, result), maxRuns)
    this.#onResult()
  }

  async #tryAll(task: Task): Promise<Uint8Array | undefined> {
    const { service, payload } = task.request
    for (let tries = 1; !this.#isStopped; tries++) {
      try {
        const result = await this.#execute(service, payload)
        if (result.length <= maxResultBytes) return result
        throw new Error(`a result of ${result.length} bytes; at most ${maxResultBytes}`)
      } catch (error) {
        this.#logger.warn('task execution failed', { service, task: task.id, tries, error })
        if (tries === maxTries) return undefined
        await this.#pause(firstPauseMs * 2 ** (tries - 1))
      }
    }
    return undefined
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel()
        this.#pauses.delete(end)
        resolve()
      }
      const cancel = this.#clock.after(delayMs, end)
      this.#pauses.add(end)
    })
  }

  #answerOf({ id, attempt }: Task, result: Uint8Array): Answer {
    const salt = resultSalt(this.#secret, id, attempt)
    const draw = { task: id, attempt, operator: this.#operator }
    return { result, salt, digest: resultDigest({ ...draw, result, salt }) }
  }
}

/** Salt of a result: only the operator can derive it, and a restart finds it again. */
const resultSalt = (secret: Uint8Array, task: Hex, attempt: number): Hex =>
  sha256Hex(utf8('NodeOP result salt'), secret, fromHex(task), new Uint8Array([attempt]))

const keyOf = (task: Task): string => `${task.id}/${task.attempt}`
