import { Fifo } from './fifo.ts'

/** Most that waits: a node's own mempool, where it has one, takes as many. */
const limits = { transactions: 50_000, bytes: 64 * 1024 * 1024 } as const

/** Most checks under way: what another thread checks goes there many at a time. */
const maxUnderWay = 256

/** Checks begun in a row, some two milliseconds: what consensus asks has its turn in between. */
const maxAtOnce = 16

/** A transaction that CometBFT has handed over. */
export type Handed = {
  readonly transaction: Uint8Array
  /** Who CometBFT has it of. */
  readonly from: 'peer' | 'client'
}

/**
 * Transactions that CometBFT has handed over for the application's mempool, and that wait for their
 * check. CometBFT hands over what a peer sends in the very routine that receives the peer's votes,
 * one at a time, and waits for the answer: so it is answered before the check, and no vote waits
 * for a transaction.
 */
export class Intake {
  readonly #check: (handed: Handed) => Promise<void>
  readonly #waiting = new Fifo<Handed>()
  readonly #underWay = new Set<Promise<void>>()
  #bytes = 0
  #isResting = false

  /** @param check - of one transaction; it must not fail. */
  constructor(check: (handed: Handed) => Promise<void>) {
    this.#check = check
  }

  /**
   * Takes a transaction for its check, unless too many wait.
   *
   * @param handed - copied, since a small transaction would keep all that came with it.
   */
  take({ transaction, from }: Handed): boolean {
    const bytes = this.#bytes + transaction.length
    if (this.#waiting.size >= limits.transactions || bytes > limits.bytes) return false
    this.#waiting.add({ transaction: transaction.slice(), from })
    this.#bytes = bytes
    this.#rest()
    return true
  }

  /** Forgets what waits; resolves once no check is under way. */
  async stop(): Promise<void> {
    while (this.#waiting.take()) {}
    this.#bytes = 0
    await Promise.all(this.#underWay)
  }

  /** Goes on after everything else has had its turn. */
  #rest(): void {
    if (this.#isResting) return
    this.#isResting = true
    setImmediate(() => {
      this.#isResting = false
      this.#goOn()
    })
  }

  #goOn(): void {
    for (let begun = 0; begun < maxAtOnce && this.#underWay.size < maxUnderWay; begun++) {
      const handed = this.#waiting.take()
      if (!handed) return
      this.#bytes -= handed.transaction.length
      this.#begin(handed)
    }
    if (this.#underWay.size < maxUnderWay) this.#rest()
  }

  #begin(handed: Handed): void {
    const check = this.#check(handed).then(() => {
      this.#underWay.delete(check)
      if (this.#waiting.size > 0) this.#rest()
    })
    this.#underWay.add(check)
  }
}
