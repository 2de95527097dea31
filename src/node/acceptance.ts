import type { ConsensusEngine } from '#consensus'
import { type Hex, keccak256Hex } from '#primitives'
import { type Ledger, taskOf } from '#protocol'
import {
  isWaiting,
  type Transaction,
  taskDigest,
  tryDecodeTransaction,
  type Verdict,
} from '#records'
import type { History } from './history.ts'
import type { Fate, Journal } from './journal.ts'
import type { Mempool } from './mempool.ts'
import type { OutboxIndex } from './outbox-index.ts'
import type { SequencerHost } from './sequencer-host.ts'

/** What an acceptance is made of. */
export type AcceptanceParts = {
  readonly journal: Journal
  readonly engine: Pick<ConsensusEngine, 'submit'>
  readonly ledger: () => Ledger
  readonly mempool: Pick<Mempool, 'hasTask'>
  readonly outbox: Pick<OutboxIndex, 'leafOf'>
  readonly history: Pick<History, 'dropped' | 'reasonOf'>
  readonly sequencer: Pick<SequencerHost, 'pool' | 'engine'> | undefined
}

/** What a gateway promises: an accepted transaction comes into a block, or ends with a reason. */
export class Acceptance {
  readonly #parts: AcceptanceParts
  /** Until everything of earlier processes is offered again, nothing of it may be forgotten. */
  #isTakenUp = false
  /** The application failed at these: they stay for the next process, which offers them again. */
  readonly #unjudged = new Set<Hex>()

  constructor(parts: AcceptanceParts) {
    this.#parts = parts
  }

  /**
   * Admits a client's transaction; when it is admitted, or waits already, it is on disk.
   *
   * @throws what the disk throws: nothing is promised then.
   */
  async accept(bytes: Uint8Array): Promise<Verdict> {
    const { journal, engine } = this.#parts
    const verdict = await engine.submit(bytes)
    const transaction = tryDecodeTransaction(bytes)
    if (transaction && (verdict.ok || isWaiting(verdict))) {
      const id = this.#idOf(transaction)
      this.#unjudged.delete(id)
      await journal.accept(id, bytes)
    }
    return verdict
  }

  /** Offers again what earlier processes have accepted; what cannot be taken ends with a reason. */
  async takeUp(): Promise<void> {
    const { journal, engine, history } = this.#parts
    for (const { id, isTask, reason } of journal.endings().values())
      if (isTask) history.dropped(id, reason)
    for (const [id, bytes] of [...journal.accepted()]) {
      const verdict = await engine.submit(bytes)
      if (verdict.ok || isWaiting(verdict)) continue
      if (verdict.reason === 'EngineStopped') return // this process is ending: the next one asks
      const transaction = tryDecodeTransaction(bytes)
      if (!transaction || (await this.#isIncluded(id, transaction))) continue
      if (verdict.reason === 'ApplicationFailed') {
        this.#unjudged.add(id) // says nothing of the transaction
        continue
      }
      const isTask = transaction.kind === 'task'
      journal.end({ id, isTask, reason: verdict.reason })
      if (isTask) history.dropped(id, verdict.reason)
    }
    this.#isTakenUp = true
  }

  /** After a block: forgets what need not be remembered any more, now and then. */
  async tidy(): Promise<void> {
    if (this.#isTakenUp)
      await this.#parts.journal.tidy((id, bytes) => this.#fateOf(id, tryDecodeTransaction(bytes)))
  }

  /** Why an accepted call ended before this process began. */
  reasonOf(id: Hex): string | undefined {
    return this.#parts.journal.endings().get(id)?.reason
  }

  #fateOf(id: Hex, transaction: Transaction | undefined): Fate {
    const { mempool, history, sequencer } = this.#parts
    const isTask = transaction?.kind === 'task'
    if (this.#unjudged.has(id)) return 'waits'
    if (isTask ? mempool.hasTask(id) : sequencer?.pool.get(id)) return 'waits'
    const reason = isTask ? history.reasonOf(id) : sequencer?.pool.reasonOf(id)
    return reason === undefined ? 'included' : { id, isTask, reason }
  }

  async #isIncluded(id: Hex, transaction: Transaction): Promise<boolean> {
    const { ledger, outbox, sequencer } = this.#parts
    return transaction.kind === 'task'
      ? taskOf(ledger(), id) !== undefined || outbox.leafOf(id) !== undefined
      : (await sequencer?.engine.transaction(id)) !== undefined
  }

  /** The name under which a client asks for it: a task's digest, an Ethereum transaction's hash. */
  #idOf(transaction: Transaction): Hex {
    const { network } = this.#parts.ledger().constants
    if (transaction.kind === 'task') return taskDigest(network, transaction.request)
    if (transaction.kind === 'call') return keccak256Hex(transaction.payload)
    throw new Error(`defect: no client sends a transaction of kind ${transaction.kind}`)
  }
}
