import { maxBlockBytes } from '#consensus'
import { equalBytes, type Hex } from '#primitives'
import {
  applyTransaction,
  type Environment,
  isL1Frozen,
  judgeReport,
  type Ledger,
  type TransitionBlock,
  taskOf,
  vouchedEvents,
} from '#protocol'
import {
  encodeTransaction,
  maxProposalBytes,
  type OperatorId,
  type Transaction,
  type TransactionResult,
  taskDigest,
  type Verdict,
} from '#records'
import { WaitingTasks } from './waiting-tasks.ts'

/** What a replicated service keeps of calls that wait for a block. */
export type CallPool = {
  readonly admit: (payload: Uint8Array) => Verdict | Promise<Verdict>
  /** Whether a call waits. */
  readonly has: (payload: Uint8Array) => boolean
  /** Executable payloads in the order to execute, within the bound. */
  readonly take: (maxBytes: number) => readonly Uint8Array[]
  /** Learns what a block did with its calls; forgets them. */
  readonly committed: (
    payloads: readonly Uint8Array[],
    results: readonly TransactionResult[],
  ) => void | Promise<void>
  /** Number of calls that could be in the next block. */
  readonly executable: () => number
  /** Bytes of all that wait. */
  readonly bytes: () => number
}

/** What the mempool learns of a block. */
export type IncludedBlock = {
  readonly block: { readonly height: number }
  readonly transactions: readonly (Transaction | undefined)[]
  readonly results: readonly TransactionResult[]
  readonly after: Ledger
}

/**
 * Most tasks that wait: one block's worth, in number and in bytes, so that reports always fit in.
 */
export const waitingLimits = { tasks: 4096, bytes: maxBlockBytes } as const
/**
 * Most bytes of a report: any allocation fits, and a sixteenth of a block beside it. As short
 * reports go first, a long one waits but silences nobody.
 */
export const maxReportBytes = maxProposalBytes + maxBlockBytes / 16
/** Blocks that may leave a report out before its slot is freed; its operator says it again. */
const reportBlocks = 8
/** Waiting tasks that are checked against each new ledger, in turn. */
const checkedPerBlock = 64
/** Tasks that a proposal tries: what takes a few tens of milliseconds. */
const triedPerProposal = 512
/** Bytes around a call's payload in its transaction: tag, offsets and the service's name. */
const callOverheadBytes = 64

type Of<Kind extends Transaction['kind']> = Transaction & { readonly kind: Kind }
type WaitingReport = {
  readonly transaction: Of<'report'>
  readonly bytes: Uint8Array
  readonly since: number
}
type WaitingEvents = {
  readonly transaction: Of<'l1-events'>
  readonly bytes: Uint8Array
  /** How many of its events are vouched for now. */
  readonly vouched: number
}

/**
 * One operator's transactions that wait for a block. Reports come first and always fit: each
 * operator has one slot, and its newest report replaces the older. L1 events have one slot for all.
 */
export class Mempool {
  readonly #environment: Environment
  readonly #pools: ReadonlyMap<string, CallPool>
  readonly #nowMs: () => number
  readonly #onDropped: (id: Hex, reason: string) => void
  readonly #reports = new Map<OperatorId, WaitingReport>()
  readonly #tasks = new WaitingTasks(waitingLimits)
  #l1Events: WaitingEvents | undefined
  #height = 0

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
    switch (transaction.kind) {
      case 'randomness':
        return { ok: false, reason: 'Misplaced' }
      case 'report':
        return this.#addReport(transaction, bytes, ledger)
      case 'l1-events':
        return this.#addEvents(transaction, bytes, ledger)
      case 'task':
        return this.#addTask(transaction, bytes, ledger)
      case 'call': {
        // The service's pool checks everything that the ledger will, and more.
        const pool = this.#pools.get(transaction.service)
        return pool ? pool.admit(transaction.payload) : { ok: false, reason: 'UnknownService' }
      }
    }
  }

  /** Whether a transaction waits, and not another in its place. */
  holds(transaction: Transaction, bytes: Uint8Array, ledger: Ledger): boolean {
    switch (transaction.kind) {
      case 'randomness':
        return false
      case 'report': {
        const waiting = this.#reports.get(transaction.report.operator)
        return waiting !== undefined && equalBytes(waiting.bytes, bytes)
      }
      case 'l1-events':
        return this.#l1Events !== undefined && equalBytes(this.#l1Events.bytes, bytes)
      case 'task':
        return this.hasTask(taskDigest(ledger.constants.network, transaction.request))
      case 'call':
        return this.#pools.get(transaction.service)?.has(transaction.payload) ?? false
    }
  }

  /** What a proposer wants in its next block, in order, at most `maxBytes` together. */
  propose(ledger: Ledger, block: TransitionBlock, maxBytes: number): readonly Uint8Array[] {
    const chosen: Uint8Array[] = []
    let room = maxBytes
    let scratch = ledger
    for (const { transaction, bytes } of this.#candidates()) {
      if (bytes.length > room) continue
      const outcome = applyTransaction(scratch, transaction, block, this.#environment)
      if (!outcome.ok) continue // refused now; `committed` drops what can never be taken
      scratch = outcome.ledger
      chosen.push(bytes)
      room -= bytes.length
    }
    for (const [service, pool] of this.#pools)
      for (const payload of pool.take(Math.max(0, room - callOverheadBytes))) {
        const bytes = encodeTransaction({ kind: 'call', service, payload })
        if (bytes.length > room) break
        chosen.push(bytes)
        room -= bytes.length
      }
    return chosen
  }

  /** Learns a committed block; drops what it holds and what it made void. */
  async committed({ block, transactions, results, after }: IncludedBlock): Promise<void> {
    this.#height = block.height
    this.#freeSlots(after)
    for (const [place, transaction] of transactions.entries())
      if (transaction?.kind === 'task') this.#included(transaction, results[place], after)
    for (const [id, { transaction }] of this.#tasks.nextTurns(checkedPerBlock)) {
      const verdict = this.#check(transaction, after)
      if (!verdict.ok) this.#drop(id, verdict.reason)
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
    return this.#reports.size + this.#tasks.size + (this.#l1Events ? 1 : 0) + calls
  }

  /** Bytes of everything that waits. */
  get bytes(): number {
    const reports = [...this.#reports.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
    const calls = [...this.#pools.values()].reduce((sum, pool) => sum + pool.bytes(), 0)
    return reports + this.#tasks.bytes + (this.#l1Events?.bytes.length ?? 0) + calls
  }

  /** Reports first, short ones before long ones, so that one who says much silences nobody. */
  *#candidates(): Iterable<{ readonly transaction: Transaction; readonly bytes: Uint8Array }> {
    yield* [...this.#reports.values()].sort((a, b) => a.bytes.length - b.bytes.length)
    if (this.#l1Events) yield this.#l1Events
    let tried = 0
    for (const task of this.#tasks.values()) {
      if (++tried > triedPerProposal) return
      yield task
    }
  }

  /** What the ledger would say of it in a block far ahead, now. */
  #check(transaction: Transaction, ledger: Ledger): Verdict {
    const block = { height: Number.MAX_SAFE_INTEGER, timeMs: this.#nowMs(), proposer: '0x' as Hex }
    return applyTransaction(ledger, transaction, block, this.#environment)
  }

  /**
   * A report is admitted for who says it; what it says may answer a block that is not committed
   * here yet. The signature comes before the slot, so that nobody else can fill it.
   */
  #addReport(transaction: Of<'report'>, bytes: Uint8Array, ledger: Ledger): Verdict {
    if (bytes.length > maxReportBytes)
      return { ok: false, reason: 'ReportTooLarge', detail: `at most ${maxReportBytes} bytes` }
    const { operator, sequence } = transaction.report
    const waiting = this.#reports.get(operator)
    const ahead = (waiting?.transaction.report.sequence ?? -1) - sequence
    if (waiting && ahead === 0 && equalBytes(waiting.bytes, bytes))
      return { ok: false, reason: 'AlreadyWaiting' }
    if (waiting && ahead >= 0) return { ok: false, reason: 'StaleSequence' }
    const judged = judgeReport(ledger, transaction, this.#environment)
    if (!judged.ok) return judged
    this.#reports.set(operator, { transaction, bytes, since: this.#height })
    return { ok: true }
  }

  /** One slot for all: the list of which the most is vouched for waits. */
  #addEvents(transaction: Of<'l1-events'>, bytes: Uint8Array, ledger: Ledger): Verdict {
    if (isL1Frozen(ledger)) return { ok: false, reason: 'L1Frozen' }
    const vouched = vouchedEvents(ledger, transaction.events)
    if (vouched === 0) return { ok: false, reason: 'NotVouched' }
    if (this.#l1Events && this.#l1Events.vouched >= vouched)
      return { ok: false, reason: 'AlreadyWaiting' }
    this.#l1Events = { transaction, bytes, vouched }
    return { ok: true }
  }

  #addTask(transaction: Of<'task'>, bytes: Uint8Array, ledger: Ledger): Verdict {
    const verdict = this.#check(transaction, ledger)
    if (!verdict.ok) return verdict
    const id = taskDigest(ledger.constants.network, transaction.request)
    return this.#tasks.add(id, { transaction, bytes })
  }

  #freeSlots(ledger: Ledger): void {
    for (const [operator, { transaction, since }] of this.#reports) {
      const last = ledger.operators.get(String(operator))?.sequence ?? 0
      const isTaken = transaction.report.sequence <= last
      if (isTaken || this.#height - since >= reportBlocks) this.#reports.delete(operator)
    }
    const waiting = this.#l1Events
    if (!waiting) return
    const vouched = vouchedEvents(ledger, waiting.transaction.events)
    this.#l1Events = vouched === 0 ? undefined : { ...waiting, vouched }
  }

  /** A task that a block held: taken, or refused for a reason that its client can ask for. */
  #included({ request }: Of<'task'>, result: TransactionResult | undefined, ledger: Ledger): void {
    const id = taskDigest(ledger.constants.network, request)
    if (!this.#tasks.has(id)) return
    if (result?.ok === false && !taskOf(ledger, id)) this.#drop(id, result.reason)
    else this.#tasks.delete(id)
  }

  #drop(id: Hex, reason: string): void {
    this.#tasks.delete(id)
    this.#onDropped(id, reason)
  }
}
