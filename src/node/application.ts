import { assert, type Hex, type Logger, toHex } from '#primitives'
import {
  appHash,
  beginBlock,
  type Computation,
  type Environment,
  endBlock,
  genesisLedger,
  type Ledger,
  nextDueMs,
  operatorsOf,
  proposalFault,
  randomnessAlpha,
  validatorsOf,
  validatorUpdates,
} from '#protocol'
import {
  type Application,
  type DecidedBlock,
  type ExecutedBlock,
  encodeTransaction,
  type Genesis,
  type L1Event,
  type ProposedBlock,
  type Transaction,
  type TransactionResult,
  tryDecodeTransaction,
  type Validator,
  type Verdict,
} from '#records'
import type { Mempool } from './mempool.ts'
import type { StoredLedger } from './store/ledger-store.ts'

/** A block that this operator has committed, for everyone who follows it. */
export type CommittedBlock = {
  readonly block: DecidedBlock
  readonly transactions: readonly (Transaction | undefined)[]
  readonly results: readonly TransactionResult[]
  /** What the block has agreed on of L1, in order. */
  readonly l1Events: readonly L1Event[]
  readonly before: Ledger
  readonly after: Ledger
  readonly appHash: Hex
  /** From the start of its execution to its commit. */
  readonly executionMs: number
}

/** Runs a service's computation on fixed input. */
export type Compute = (computation: Computation) => Promise<Uint8Array>

/** Bytes that the randomness proof takes in a block. */
const randomnessBytes = 256

/** The ledger behind the seam to consensus: one operator's `Application`. */
export class LedgerApplication implements Application {
  readonly #environment: Environment
  readonly #compute: Compute
  readonly #mempool: Mempool
  readonly #prove: (alpha: Uint8Array) => Uint8Array
  readonly #nowMs: () => number
  readonly #keep: (committed: CommittedBlock) => void
  readonly #logger: Logger
  readonly #listeners: ((committed: CommittedBlock) => void)[] = []
  #ledger: Ledger
  #height: number
  #appHash: Hex
  #pending: (Omit<CommittedBlock, 'executionMs'> & { readonly startedMs: number }) | undefined

  constructor(options: {
    readonly genesis: Genesis
    readonly environment: Environment
    readonly compute: Compute
    readonly mempool: Mempool
    /** RFC 9381 proof by this operator's key. */
    readonly prove: (alpha: Uint8Array) => Uint8Array
    readonly nowMs: () => number
    /** Where the last process ended; absent: before the first block. */
    readonly stored?: StoredLedger | undefined
    /** Puts a block's outcome on disk; a commit fails when it throws. */
    readonly keep: (committed: CommittedBlock) => void
    readonly logger: Logger
  }) {
    this.#environment = options.environment
    this.#compute = options.compute
    this.#mempool = options.mempool
    this.#prove = options.prove
    this.#nowMs = options.nowMs
    this.#logger = options.logger
    this.#keep = options.keep
    const { stored } = options
    this.#ledger = stored?.ledger ?? genesisLedger(options.genesis, options.environment)
    this.#height = stored?.height ?? 0
    this.#appHash = stored?.appHash ?? appHash(this.#ledger)
  }

  /** The ledger after the last committed block, and that block's height. */
  get ledger(): Ledger {
    return this.#ledger
  }

  get height(): number {
    return this.#height
  }

  /** Calls `listener` after every commit, in the order of registration. */
  onCommitted(listener: (committed: CommittedBlock) => void): void {
    this.#listeners.push(listener)
  }

  /** Goes on from a ledger that was put on disk in place of this one: a snapshot's. */
  resume({ ledger, height, appHash: hash }: StoredLedger): void {
    this.#pending = undefined
    this.#ledger = ledger
    this.#height = height
    this.#appHash = hash
    this.#logger.info('goes on from a snapshot', { height, appHash: hash })
  }

  async info(): Promise<{ readonly height: number; readonly appHash: Hex }> {
    return { height: this.#height, appHash: this.#appHash }
  }

  consensusKeys(): readonly Hex[] {
    return operatorsOf(this.#ledger).map(({ consensusKey }) => consensusKey)
  }

  async initChain(): Promise<{ readonly appHash: Hex; readonly validators: readonly Validator[] }> {
    return { appHash: this.#appHash, validators: validatorsOf(this.#ledger) }
  }

  async checkTransaction(bytes: Uint8Array): Promise<Verdict> {
    const transaction = tryDecodeTransaction(bytes)
    if (!transaction) return { ok: false, reason: 'BadEncoding' }
    return this.#mempool.add(transaction, bytes, this.#ledger)
  }

  holdsTransaction(bytes: Uint8Array): boolean {
    const transaction = tryDecodeTransaction(bytes)
    return transaction !== undefined && this.#mempool.holds(transaction, bytes, this.#ledger)
  }

  async prepareProposal(input: {
    readonly height: number
    readonly timeMs: number
    readonly maxBytes: number
  }): Promise<readonly Uint8Array[]> {
    const { height, timeMs, maxBytes } = input
    const block = { height, timeMs, proposer: '0x' as Hex }
    const room = maxBytes - randomnessBytes
    const chosen = this.#mempool.propose(this.#ledger, block, room)
    const dueMs = nextDueMs(this.#ledger)
    const hasWork = chosen.length > 0 || (dueMs !== undefined && dueMs <= timeMs)
    return hasWork ? [this.#proveRandomness(height), ...chosen] : []
  }

  async processProposal(block: ProposedBlock): Promise<Verdict> {
    const reason = proposalFault(this.#ledger, block, this.#environment)
    return reason === undefined ? { ok: true } : { ok: false, reason }
  }

  async finalizeBlock(block: DecidedBlock): Promise<ExecutedBlock> {
    assert(block.height === this.#height + 1, `block ${block.height} follows ${this.#height}`)
    const startedMs = this.#nowMs()
    const begun = beginBlock(this.#ledger, block, this.#environment)
    const outputs = await Promise.all(begun.computations.map(this.#compute))
    const { ledger, results } = endBlock(begun, outputs, this.#environment)
    const hash = ledger === this.#ledger ? this.#appHash : appHash(ledger)
    this.#pending = {
      startedMs,
      block,
      transactions: begun.transactions,
      results,
      l1Events: begun.l1Events,
      before: this.#ledger,
      after: ledger,
      appHash: hash,
    }
    return { appHash: hash, results, validatorUpdates: validatorUpdates(this.#ledger, ledger) }
  }

  async commit(): Promise<void> {
    const pending = this.#pending
    assert(pending, 'commit follows finalizeBlock')
    const { startedMs, ...executed } = pending
    const committed = { ...executed, executionMs: this.#nowMs() - startedMs }
    this.#pending = undefined
    this.#keep(committed)
    this.#ledger = committed.after
    this.#height = committed.block.height
    this.#appHash = committed.appHash
    await this.#mempool.committed(committed)
    for (const listener of this.#listeners) this.#tell(listener, committed)
    this.#logger.debug('block committed', { height: this.#height, appHash: this.#appHash })
  }

  /** A listener's defect is its own: what is committed stays committed. */
  #tell(listener: (committed: CommittedBlock) => void, committed: CommittedBlock): void {
    try {
      listener(committed)
    } catch (error) {
      this.#logger.error('a listener to commits failed', { height: this.#height, error })
    }
  }

  workDueMs(): number | undefined {
    return this.#mempool.size > 0 ? 0 : nextDueMs(this.#ledger)
  }

  #proveRandomness(height: number): Uint8Array {
    const alpha = randomnessAlpha(this.#ledger.constants.network, height)
    return encodeTransaction({ kind: 'randomness', proof: toHex(this.#prove(alpha)) })
  }
}
