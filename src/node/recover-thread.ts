import { Worker } from 'node:worker_threads'
import { type Logger, moduleBeside } from '#primitives'
import type { RecoverPublicKey } from './recover.ts'
import { keysOf, questionOf, type SignedDigest } from './recover-batch.ts'

/** What this thread may spend of its time on recovering, and how much of that at a time. */
const share = 0.1
const burstMs = 20

/** Most that are handed over together. */
const maxBatch = 256

/** What the client of the thread needs. */
export type RecoverThreadOptions = {
  readonly recover: RecoverPublicKey
  readonly logger: Logger
  /** Milliseconds with fractions; absent: the process's own clock. */
  readonly nowMs?: () => number
  /** Absent: a thread that recovers as `loadSecp256k1` does. */
  readonly startThread?: () => Worker
}

type Question = SignedDigest & { readonly settle: (key: Uint8Array | undefined) => void }

/**
 * Recovers public keys: here while they are few, in a thread of its own when they are so many that
 * blocks would wait for them. Answers come in the order of the questions.
 */
export class RecoverThread {
  readonly #options: RecoverThreadOptions
  readonly #nowMs: () => number
  #waiting: Question[] = []
  /** What the thread is at. */
  #asked: readonly Question[] = []
  #thread: Worker | undefined
  #state: 'none' | 'starting' | 'ready' | 'ended' = 'none'
  /** What was spent here lately, and when it was reckoned. */
  #spentMs = 0
  #reckonedMs = 0

  constructor(options: RecoverThreadOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? (() => performance.now())
  }

  /** The key that signed, 64 bytes; undefined when there is none. Never rejects. */
  async recover(signed: SignedDigest): Promise<Uint8Array | undefined> {
    if (this.#asked.length === 0 && this.#waiting.length === 0 && this.#isHere())
      return this.#recoverHere(signed)
    return new Promise((settle) => {
      this.#waiting.push({ ...signed, settle })
      // After everything else that is asked now, so that it goes together.
      if (this.#waiting.length === 1) queueMicrotask(() => this.#ask())
    })
  }

  /** Ends the thread; what it was asked is answered here. */
  stop(): void {
    this.#end()
  }

  /** Whether there is time for one more here; when not, the thread is to be started or asked. */
  #isHere(): boolean {
    const nowMs = this.#nowMs()
    this.#spentMs = Math.max(0, this.#spentMs - (nowMs - this.#reckonedMs) * share)
    this.#reckonedMs = nowMs
    if (this.#spentMs < burstMs || this.#state === 'ended') return true
    if (this.#state === 'none') this.#start()
    return this.#state !== 'ready'
  }

  #recoverHere({ digest, signature, recovery }: SignedDigest): Uint8Array | undefined {
    const startedMs = this.#nowMs()
    const key = this.#options.recover(digest, signature, recovery)
    this.#spentMs += this.#nowMs() - startedMs
    return key
  }

  #start(): void {
    const { startThread = startRecoverThread } = this.#options
    let thread: Worker
    try {
      thread = startThread()
    } catch (error) {
      this.#failed({ error })
      return
    }
    thread.unref()
    thread.on('message', (said: 'ready' | Uint8Array) => {
      if (thread !== this.#thread) return
      if (said === 'ready') this.#state = 'ready'
      else this.#answered(keysOf(said))
    })
    thread.on('error', (error) => {
      if (thread === this.#thread) this.#failed({ error })
    })
    thread.on('exit', (exitCode) => {
      if (thread === this.#thread) this.#failed({ exitCode })
    })
    this.#thread = thread
    this.#state = 'starting'
  }

  #ask(): void {
    if (this.#asked.length > 0 || this.#waiting.length === 0) return
    if (this.#state !== 'ready') {
      this.#answerHere()
      return
    }
    this.#asked = this.#waiting.splice(0, maxBatch)
    const question = questionOf(this.#asked)
    this.#thread?.postMessage(question, [question.buffer])
  }

  #answered(keys: readonly (Uint8Array | undefined)[]): void {
    const asked = this.#asked
    this.#asked = []
    for (const [place, { settle }] of asked.entries()) settle(keys[place])
    this.#ask()
  }

  #failed(why: { readonly error: unknown } | { readonly exitCode: number }): void {
    const message = 'the thread that recovers keys has failed: they are recovered without'
    this.#options.logger.error(message, why)
    this.#end()
  }

  #end(): void {
    this.#state = 'ended'
    void this.#thread?.terminate()
    this.#thread = undefined
    this.#answerHere()
  }

  #answerHere(): void {
    const questions = [...this.#asked, ...this.#waiting]
    this.#asked = []
    this.#waiting = []
    for (const question of questions) question.settle(this.#recoverHere(question))
  }
}

const startRecoverThread = (): Worker => new Worker(workerModule)

const workerModule = moduleBeside('recover-worker', import.meta.url)
