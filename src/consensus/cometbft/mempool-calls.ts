import type { Logger } from '#primitives'
import { type Application, isDuty, isWaiting, type Verdict } from '#records'
import { refusedCode, toResult } from './answers.ts'
import { tryDecodeBatch } from './batch.ts'
import { type Handed, Intake } from './intake.ts'
import { CheckTxType, type RequestCheckTx } from './messages/abci_pb.ts'
import { type Answer, constantAnswer } from './messages.ts'
import type { CometMempool } from './program/index.ts'
import { Relay } from './relay.ts'

/**
 * Answers to what CometBFT asks about transactions that are in no block yet: those that it has
 * heard of, and those that it is to pass on.
 */
export class MempoolCalls {
  readonly #application: Application
  readonly #mempool: CometMempool
  readonly #onWork: () => void
  readonly #logger: Logger
  readonly #relay = new Relay()
  readonly #intake = new Intake((handed) => this.#admit(handed), isDuty)
  /** Transactions that are being checked. */
  readonly #checks = new Set<Promise<Verdict>>()
  #malformed = 0

  /** @param options.onWork - told when there may be something to propose. */
  constructor(options: {
    readonly application: Application
    /** Whose transactions wait in: CometBFT's own, or the application's. */
    readonly mempool: CometMempool
    readonly onWork: () => void
    readonly logger: Logger
  }) {
    this.#application = options.application
    this.#mempool = options.mempool
    this.#onWork = options.onWork
    this.#logger = options.logger
  }

  /** Hands a transaction that the application has admitted to CometBFT when it asks for some. */
  relay(transaction: Uint8Array): void {
    this.#relay.add(transaction)
    this.#onWork()
  }

  /** There is a block more. A defect is the transactions' alone: what is committed stays so. */
  committed(): void {
    try {
      this.#relay.committed((transaction) => this.#application.holdsTransaction(transaction))
    } catch (error) {
      this.#logger.error('application failed to say what waits', { error })
    }
  }

  /** Resolves once no check is under way; what waits for one is dropped. */
  async stop(): Promise<void> {
    await Promise.all([...this.#checks, this.#intake.stop()])
  }

  /**
   * CheckTx. CometBFT asks again after each block: whether to keep what it holds. A new transaction
   * for the application's mempool comes from CometBFT's RPC.
   */
  async check({ tx, type }: RequestCheckTx): Promise<Answer> {
    if (type === CheckTxType.RECHECK)
      return toCheck(this.#application.holdsTransaction(tx) ? { ok: true } : noLongerWaiting)
    if (this.#mempool === 'app')
      return this.#intake.take({ transaction: tx, from: 'client' }) ? admitted : busyCheck
    return toCheck(welcome(await this.#check(tx)))
  }

  /** InsertTx: takes what a peer has passed on, as much of it as there is room for. */
  insert(bytes: Uint8Array): Answer {
    const batch = tryDecodeBatch(bytes)
    if (!batch) {
      this.#sayMalformed(bytes)
      return refusedInsert
    }
    const isWhole = batch.transactions
      .map((transaction) => this.#intake.take({ transaction, from: 'peer' }))
      .every(Boolean)
    return isWhole ? inserted : refusedInsert
  }

  /** ReapTxs: gives what is to be passed on. */
  reap(): Answer {
    const batch = this.#relay.take()
    return batch ? { case: 'reapTxs', value: { txs: [batch] } } : nothingNew
  }

  /** @param view - copied, since a small transaction would keep all that came with it. */
  async #check(view: Uint8Array): Promise<Verdict> {
    const checked = this.#ask(view.slice())
    this.#checks.add(checked)
    const verdict = await checked
    this.#checks.delete(checked)
    return verdict
  }

  async #ask(transaction: Uint8Array): Promise<Verdict> {
    try {
      return await this.#application.checkTransaction(transaction)
    } catch (error) {
      // Whatever a stranger sends, it must not stop the validator.
      this.#logger.error('application failed to check a transaction', { error })
      return { ok: false, reason: 'ApplicationFailed' }
    }
  }

  /**
   * What is new to the application's mempool is to reach the peers, and may be what a block waits
   * for.
   */
  async #admit({ transaction, from }: Handed): Promise<void> {
    const verdict = await this.#ask(transaction)
    if (!verdict.ok) return
    if (from === 'client') this.#relay.add(transaction)
    else this.#relay.hold(transaction)
    this.#onWork()
  }

  /** Once, then at each doubling: a peer that runs something else sends many. */
  #sayMalformed({ length }: Uint8Array): void {
    const count = ++this.#malformed
    if ((count & (count - 1)) !== 0) return
    const message = 'a peer has sent what is no batch of transactions: is it of another version?'
    this.#logger.warn(message, { count, length })
  }
}

/** Of a transaction that the application has dropped, replaced or seen in a block. */
const noLongerWaiting: Verdict = { ok: false, reason: 'NoLongerWaiting' }

/** What waits already is welcome: CometBFT is to pass it on. */
const welcome = (verdict: Verdict): Verdict => (isWaiting(verdict) ? { ok: true } : verdict)

const admitted = constantAnswer({ case: 'checkTx', value: {} })
const inserted = constantAnswer({ case: 'insertTx', value: {} })
const nothingNew = constantAnswer({ case: 'reapTxs', value: {} })
const refusedInsert = constantAnswer({ case: 'insertTx', value: { code: refusedCode } })

/** CometBFT forgets that it has seen a transaction with this code, or a greater one. */
const retryCode = 32_000

/** Of a new transaction when too many wait already: who sends it again may have more luck. */
export const busyCheck: Answer = constantAnswer({
  case: 'checkTx',
  value: { ...toResult({ ok: false, reason: 'OperatorBusy' }), code: retryCode },
})

const toCheck = (verdict: Verdict): Answer =>
  verdict.ok ? admitted : { case: 'checkTx', value: toResult(verdict) }
