import { assert, fromHex, type Hex, type Logger, toHex } from '#primitives'
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
  randomnessAlpha,
} from '#protocol'
import {
  type Application,
  type DecidedBlock,
  type ExecutedBlock,
  encodeTransaction,
  type Genesis,
  type ProposedBlock,
  type Transaction,
  type TransactionResult,
  tryDecodeTransaction,
  type Validator,
  type Verdict,
} from '#records'
import type { Mempool } from './mempool.ts'

/** A block that this operator has committed, for everyone who follows it. */
export type CommittedBlock = {
  readonly block: DecidedBlock
  readonly transactions: readonly (Transaction | undefined)[]
  readonly results: readonly TransactionResult[]
  readonly before: Ledger
  readonly after: Ledger
  readonly appHash: Hex
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
  readonly #logger: Logger
  readonly #listeners: ((committed: CommittedBlock) => void | Promise<void>)[] = []
  #ledger: Ledger
  #height = 0
  #appHash: Hex
  #pending: CommittedBlock | undefined

  constructor(options: {
    readonly genesis: Genesis
    readonly environment: Environment
    readonly compute: Compute
    readonly mempool: Mempool
    /** RFC 9381 proof by this operator's key. */
    readonly prove: (alpha: Uint8Array) => Uint8Array
    readonly logger: Logger
  }) {
    this.#environment = options.environment
    this.#compute = options.compute
    this.#mempool = options.mempool
    this.#prove = options.prove
    this.#logger = options.logger
    this.#ledger = genesisLedger(options.genesis, options.environment)
    this.#appHash = appHash(this.#ledger)
  }

  /** The ledger after the last committed block, and that block's height. */
  get ledger(): Ledger {
    return this.#ledger
  }

  get height(): number {
    return this.#height
  }

  /** Calls `listener` after every commit, in the order of registration. */
  onCommitted(listener: (committed: CommittedBlock) => void | Promise<void>): void {
    this.#listeners.push(listener)
  }

  async info(): Promise<{ readonly height: number; readonly appHash: Hex }> {
    return { height: this.#height, appHash: this.#appHash }
  }

  async initChain(): Promise<{ readonly appHash: Hex; readonly validators: readonly Validator[] }> {
    const validators = operatorsOf(this.#ledger).map(({ consensusKey, power }) => ({
      consensusKey,
      power,
    }))
    return { appHash: this.#appHash, validators }
  }

  async checkTransaction(bytes: Uint8Array): Promise<Verdict> {
    const transaction = tryDecodeTransaction(bytes)
    if (!transaction) return { ok: false, reason: 'BadEncoding' }
    return this.#mempool.add(transaction, bytes, this.#ledger)
  }

  async prepareProposal(input: {
    readonly height: number
    readonly timeMs: number
    readonly maxBytes: number
  }): Promise<readonly Uint8Array[]> {
    const { height, timeMs, maxBytes } = input
    const block = { height, timeMs, proposer: '0x' as Hex }
    const room = maxBytes - randomnessBytes
    const chosen = this.#mempool.propose(this.#ledger, block, room, encodeCall)
    const dueMs = nextDueMs(this.#ledger)
    const hasWork = chosen.length > 0 || (dueMs !== undefined && dueMs <= timeMs)
    return hasWork ? [this.#proveRandomness(height), ...chosen] : []
  }

  async processProposal(block: ProposedBlock): Promise<Verdict> {
    if (block.transactions.length === 0) return { ok: true }
    const [first, ...others] = block.transactions.map(tryDecodeTransaction)
    if (first?.kind !== 'randomness') return { ok: false, reason: 'NoRandomness' }
    if (others.some((one) => one === undefined)) return { ok: false, reason: 'BadEncoding' }
    const proposer = operatorsOf(this.#ledger).find(
      ({ consensusKey }) => consensusKey === block.proposer,
    )
    if (!proposer) return { ok: false, reason: 'UnknownOperator' }
    const beta = this.#environment.verifyRandomness(
      proposer.vrfKey,
      randomnessAlpha(this.#ledger.constants.network, block.height),
      fromHex(first.proof),
    )
    return beta ? { ok: true } : { ok: false, reason: 'BadRandomness' }
  }

  async finalizeBlock(block: DecidedBlock): Promise<ExecutedBlock> {
    assert(block.height === this.#height + 1, `block ${block.height} follows ${this.#height}`)
    const begun = beginBlock(this.#ledger, block, this.#environment)
    const outputs = await Promise.all(begun.computations.map(this.#compute))
    const { ledger, results } = endBlock(begun, outputs, this.#environment)
    const hash = ledger === this.#ledger ? this.#appHash : appHash(ledger)
    this.#pending = {
      block,
      transactions: block.transactions.map(tryDecodeTransaction),
      results,
      before: this.#ledger,
      after: ledger,
      appHash: hash,
    }
    return { appHash: hash, results, validatorUpdates: validatorUpdates(this.#ledger, ledger) }
  }

  async commit(): Promise<void> {
    const committed = this.#pending
    assert(committed, 'commit follows finalizeBlock')
    this.#pending = undefined
    this.#ledger = committed.after
    this.#height = committed.block.height
    this.#appHash = committed.appHash
    await this.#mempool.committed(committed.transactions, committed.results, committed.after)
    for (const listener of this.#listeners) await listener(committed)
    this.#logger.debug('block committed', { height: this.#height, appHash: this.#appHash })
  }

  workDueMs(): number | undefined {
    return this.#mempool.size > 0 ? 0 : nextDueMs(this.#ledger)
  }

  #proveRandomness(height: number): Uint8Array {
    const alpha = randomnessAlpha(this.#ledger.constants.network, height)
    return encodeTransaction({ kind: 'randomness', proof: toHex(this.#prove(alpha)) })
  }
}

const encodeCall = (service: string, payload: Uint8Array): Uint8Array =>
  encodeTransaction({ kind: 'call', service, payload })

/** Whose power has changed, by consensus key. */
function validatorUpdates(before: Ledger, after: Ledger): readonly Validator[] {
  if (before.operators === after.operators) return []
  return operatorsOf(after).flatMap(({ id, consensusKey, power }) => {
    const known = before.operators.get(String(id))
    return known?.power === power ? [] : [{ consensusKey, power }]
  })
}
