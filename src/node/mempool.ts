import type { Hex } from '#primitives'
import { applyTransaction, type Environment, type Ledger, type TransitionBlock } from '#protocol'
import {
  type OperatorId,
  type Transaction,
  type TransactionResult,
  taskDigest,
  transactionHash,
  type Verdict,
} from '#records'

/** What a replicated service keeps of calls that wait for a block. */
export type CallPool = {
  readonly admit: (payload: Uint8Array) => Verdict | Promise<Verdict>
  /** Executable payloads in the order to execute, within the bound. */
  readonly take: (maxBytes: number) => readonly Uint8Array[]
  /** Learns what a block did with its calls; forgets them. */
  readonly committed: (
    payloads: readonly Uint8Array[],
    results: readonly TransactionResult[],
  ) => void | Promise<void>
  /** Number of calls that could be in the next block. */
  readonly executable: () => number
}

type Entry = { readonly bytes: Uint8Array; readonly transaction: Transaction }

/** Most tasks, and most different `l1-events`, that wait for a block. */
const maxTasks = 4096
const maxL1Events = 64

/** Bytes around a call's payload in its transaction: tag, offsets and the service's name. */
const callOverheadBytes = 64

/**
 * One operator's transactions that wait for a block. Reports come first and always fit: each operator
 * has one slot, and its newest report replaces the older.
 */
export class Mempool {
  readonly #environment: Environment
  readonly #pools: ReadonlyMap<string, CallPool>
  readonly #nowMs: () => number
  readonly #onDropped: (id: Hex, reason: string) => void
  readonly #reports = new Map<OperatorId, Entry>()
  readonly #tasks = new Map<Hex, Entry>()
  readonly #l1Events = new Map<Hex, Entry>()

  /** @param options.onDropped - told when an accepted task will never be in a block, and why. */
  constructor(options: {
    readonly environment: Environment
    readonly pools: ReadonlyMap<string, CallPool>
    readonly nowMs: () => number
    readonly onDropped: (id: Hex, reason: string) => void
  }) {
    this.#environment = options.environment
    this.#pools = options.pools
    this.#nowMs = options.nowMs
    this.#onDropped = options.onDropped
  }

  /** Admits a decoded transaction against the ledger as it stands. */
  async add(transaction: Transaction, bytes: Uint8Array, ledger: Ledger): Promise<Verdict> {
    if (transaction.kind === 'randomness') return { ok: false, reason: 'Misplaced' }
    if (transaction.kind === 'call') return this.#admitCall(transaction)
    const verdict = this.#check(transaction, ledger)
    if (!verdict.ok && !mayBecomeValid(transaction, verdict.reason)) return verdict
    switch (transaction.kind) {
      case 'report':
        return this.#addReport(transaction, bytes)
      case 'task': {
        const id = taskDigest(ledger.constants.network, transaction.request)
        return keep(this.#tasks, id, { transaction, bytes }, maxTasks)
      }
      case 'l1-events':
        return keep(this.#l1Events, transactionHash(bytes), { transaction, bytes }, maxL1Events)
    }
  }

  /**
   * What a proposer wants in its next block, in order, at most `maxBytes` together.
   *
   * @param encodeCall - the transaction's bytes of a service's payload.
   */
  propose(
    ledger: Ledger,
    block: TransitionBlock,
    maxBytes: number,
    encodeCall: (service: string, payload: Uint8Array) => Uint8Array,
  ): readonly Uint8Array[] {
    const chosen: Uint8Array[] = []
    let room = maxBytes
    let scratch = ledger
    const waiting = [this.#reports, this.#l1Events, this.#tasks].flatMap((map) => [...map.values()])
    for (const { transaction, bytes } of waiting) {
      if (bytes.length > room) continue
      const outcome = applyTransaction(scratch, transaction, block, this.#environment)
      if (!outcome.ok) continue // refused now; `committed` drops what can never be taken
      scratch = outcome.ledger
      chosen.push(bytes)
      room -= bytes.length
    }
    for (const [service, pool] of this.#pools) {
      for (const payload of pool.take(Math.max(0, room - callOverheadBytes))) {
        const bytes = encodeCall(service, payload)
        if (bytes.length > room) break
        chosen.push(bytes)
        room -= bytes.length
      }
    }
    return chosen
  }

  /** Learns a committed block; drops what it holds and what it made void. */
  async committed(
    transactions: readonly (Transaction | undefined)[],
    results: readonly TransactionResult[],
    ledger: Ledger,
  ): Promise<void> {
    this.#dropOldReports(ledger)
    for (const [hash, { transaction }] of this.#l1Events)
      if (!this.#check(transaction, ledger).ok) this.#l1Events.delete(hash)
    for (const transaction of transactions)
      if (transaction?.kind === 'task')
        this.#tasks.delete(taskDigest(ledger.constants.network, transaction.request))
    for (const [id, { transaction }] of this.#tasks) {
      const verdict = this.#check(transaction, ledger)
      if (verdict.ok) continue
      this.#tasks.delete(id)
      this.#onDropped(id, verdict.reason)
    }
    for (const [service, pool] of this.#pools) {
      const calls = transactions.flatMap((transaction, place) =>
        transaction?.kind === 'call' && transaction.service === service
          ? [{ payload: transaction.payload, result: results[place] ?? { ok: true as const } }]
          : [],
      )
      await pool.committed(
        calls.map(({ payload }) => payload),
        calls.map(({ result }) => result),
      )
    }
  }

  /** Whether a task waits. */
  hasTask(id: Hex): boolean {
    return this.#tasks.has(id)
  }

  /** Transactions that could be in the next block. */
  get size(): number {
    const calls = [...this.#pools.values()].reduce((sum, pool) => sum + pool.executable(), 0)
    return this.#reports.size + this.#tasks.size + this.#l1Events.size + calls
  }

  /** What the ledger would say of it in a block far ahead, now. */
  #check(transaction: Transaction, ledger: Ledger): Verdict {
    const block = { height: Number.MAX_SAFE_INTEGER, timeMs: this.#nowMs(), proposer: '0x' as Hex }
    return applyTransaction(ledger, transaction, block, this.#environment)
  }

  /** The service's pool checks everything that the ledger will, and more. */
  async #admitCall({ service, payload }: Transaction & { kind: 'call' }): Promise<Verdict> {
    const pool = this.#pools.get(service)
    return pool ? pool.admit(payload) : { ok: false, reason: 'UnknownService' }
  }

  #addReport(transaction: Transaction & { kind: 'report' }, bytes: Uint8Array): Verdict {
    const { operator, sequence } = transaction.report
    const waiting = this.#reports.get(operator)?.transaction
    if (waiting?.kind === 'report' && waiting.report.sequence >= sequence)
      return { ok: false, reason: 'StaleSequence' }
    this.#reports.set(operator, { transaction, bytes })
    return { ok: true }
  }

  #dropOldReports(ledger: Ledger): void {
    for (const [operator, { transaction }] of this.#reports) {
      const last = ledger.operators.get(String(operator))?.sequence ?? 0
      if (transaction.kind === 'report' && transaction.report.sequence <= last)
        this.#reports.delete(operator)
    }
  }
}

function keep(entries: Map<Hex, Entry>, id: Hex, entry: Entry, limit: number): Verdict {
  if (entries.has(id)) return { ok: false, reason: 'AlreadyWaiting' }
  if (entries.size >= limit) return { ok: false, reason: 'MempoolFull' }
  entries.set(id, entry)
  return { ok: true }
}

/**
 * Whether a refusal may pass when this operator's ledger catches up: a report's statements can answer
 * a block that is not committed here yet, but its signature and sequence do not change.
 */
function mayBecomeValid(transaction: Transaction, reason: string): boolean {
  const lasting = ['WrongNetwork', 'UnknownOperator', 'StaleSequence', 'BadSignature']
  return transaction.kind === 'report' && !lasting.includes(reason)
}
