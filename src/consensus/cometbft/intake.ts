import { Waiting } from './waiting.ts'

/**
 * Most that waits: of clients' transactions as many as a node's own mempool takes, where it has
 * one; of what operators have to say, which clients' must not keep out, several of each.
 */
const limits = {
  duties: { transactions: 2_048, bytes: 16 * 1024 * 1024 },
  others: { transactions: 50_000, bytes: 64 * 1024 * 1024 },
} as const

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
  readonly #isDuty: (transaction: Uint8Array) => boolean
  /** What operators have to say, which must not wait behind what clients want. */
  readonly #duties = new Waiting<Handed>(limits.duties)
  readonly #others = new Waiting<Handed>(limits.others)
  #isDutysTurn = true
  readonly #underWay = new Set<Promise<void>>()
  #isResting = false

  /**
   * @param check - of one transaction; it must not fail.
   * @param isDuty - whether a transaction is for an operator to send; such and others take turns.
   */
  constructor(
    check: (handed: Handed) => Promise<void>,
    isDuty: (transaction: Uint8Array) => boolean,
  ) {
    this.#check = check
    this.#isDuty = isDuty
  }

  /**
   * Takes a transaction for its check, unless too many wait.
   *
   * @param handed - copied, since a small transaction would keep all that came with it.
   */
  take({ transaction, from }: Handed): boolean {
    const queue = this.#isDuty(transaction) ? this.#duties : this.#others
    if (!queue.hasRoomFor(transaction)) return false // before the copy: a flood is refused cheaply
    queue.add({ transaction: transaction.slice(), from })
    this.#rest()
    return true
  }

  /** Forgets what waits; resolves once no check is under way. */
  async stop(): Promise<void> {
    while (this.#next()) {}
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
      const handed = this.#next()
      if (!handed) return
      this.#begin(handed)
    }
    if (this.#underWay.size < maxUnderWay) this.#rest()
  }

  get #size(): number {
    return this.#duties.size + this.#others.size
  }

  #next(): Handed | undefined {
    const [first, second] = this.#isDutysTurn
      ? [this.#duties, this.#others]
      : [this.#others, this.#duties]
    this.#isDutysTurn = !this.#isDutysTurn
    return first.take() ?? second.take()
  }

  #begin(handed: Handed): void {
    const check = this.#check(handed).then(() => {
      this.#underWay.delete(check)
      if (this.#size > 0) this.#rest()
    })
    this.#underWay.add(check)
  }
}
