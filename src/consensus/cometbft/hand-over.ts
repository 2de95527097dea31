import type { Logger } from '#primitives'
import type { CometRpc } from './program/index.ts'

/**
 * What goes in one request, and what waits for its turn; beyond that it is ours alone to propose.
 */
const limits = {
  batch: 500,
  batchBytes: 2 * 1024 * 1024,
  waiting: 20_000,
  waitingBytes: 64 * 1024 * 1024,
} as const

/**
 * Hands admitted transactions to CometBFT, which passes them on to the peers: in order, many at a
 * time, without waiting for its check. What it does not take stays in the application's mempool and
 * comes into a block that this operator proposes.
 */
export class HandOver {
  readonly #rpc: Pick<CometRpc, 'broadcast'>
  readonly #logger: Logger
  #waiting: Uint8Array[] = []
  #bytes = 0
  #isRunning = false

  constructor(rpc: Pick<CometRpc, 'broadcast'>, logger: Logger) {
    this.#rpc = rpc
    this.#logger = logger
  }

  add(transaction: Uint8Array): void {
    const bytes = this.#bytes + transaction.length
    if (this.#waiting.length >= limits.waiting || bytes > limits.waitingBytes) return
    this.#waiting.push(transaction)
    this.#bytes = bytes
    if (!this.#isRunning) void this.#run()
  }

  /** One request at a time: what comes meanwhile goes with the next. */
  async #run(): Promise<void> {
    this.#isRunning = true
    await undefined // what comes in this turn of the event loop goes together
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      this.#bytes -= batch.reduce((sum, { length }) => sum + length, 0)
      try {
        await this.#rpc.broadcast(batch)
      } catch (error) {
        this.#logger.warn('CometBFT did not take transactions', { count: batch.length, error })
      }
    }
    this.#isRunning = false
  }

  #take(): readonly Uint8Array[] {
    let room: number = limits.batchBytes
    const end = this.#waiting.findIndex(({ length }, place) => {
      room -= length
      return place > 0 && (room < 0 || place >= limits.batch)
    })
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
  }
}
