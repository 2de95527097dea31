import { DomainError, type Logger } from '#primitives'
import type { Application, Verdict } from '#records'
import {
  afterCall,
  beforeStart,
  type Call,
  type ConsensusDecision,
  type GrammarState,
} from '../engine/index.ts'
import { Answers, toResult, toStatus } from './answers.ts'
import { AwaitedWork, type Patience } from './awaited-work.ts'
import { type Chain, WrongGenesisError } from './chain.ts'
import { MempoolCalls } from './mempool-calls.ts'
import {
  ResponseOfferSnapshot_Result as Offer,
  type RequestPrepareProposal,
  type RequestProcessProposal,
} from './messages/abci_pb.ts'
import { type Answer, type Asked, constantAnswer, UnknownMessageError } from './messages.ts'
import type { CometMempool } from './program/index.ts'
import { answerApply, answerList, answerLoad, answerOffer, type SnapshotPort } from './snapshots.ts'
import { createTurns } from './turns.ts'

/** What a session needs. */
export type SessionOptions = {
  readonly application: Application
  readonly chain: Chain
  /** Whose transactions wait in: CometBFT's own, or the application's. */
  readonly mempool: CometMempool
  /** Of a proposer with nothing to do; absent: it has none. */
  readonly patience?: Patience | undefined
  /** Absent: it gives none, and begins from none. */
  readonly snapshots?: SnapshotPort | undefined
  readonly logger: Logger
  /** Told of each block after its commit. */
  readonly onDecided: (decision: ConsensusDecision) => void
  /** Told once, when the application has failed: nothing moves the ledger any more. */
  readonly onFailure: (error: unknown) => void
}

/** Who asks: one connection. */
export type Asker = { readonly isOpen: boolean }

/** Calls that move the ledger, or depend on where it stands. */
type Move = Extract<
  Asked,
  {
    readonly case: 'initChain' | 'prepareProposal' | 'processProposal' | 'finalizeBlock' | 'commit'
  }
>

/** Calls by which the ledger begins from a snapshot. */
type Restore = Extract<Asked, { readonly case: 'offerSnapshot' | 'applySnapshotChunk' }>

/**
 * One application behind any number of connections. Calls that move the ledger run one at a time,
 * across all connections, and in the order that the grammar allows.
 */
export class Session {
  readonly #application: Application
  readonly #answers: Answers
  readonly #snapshots: SnapshotPort | undefined
  readonly #logger: Logger
  readonly #onDecided: (decision: ConsensusDecision) => void
  readonly #onFailure: (error: unknown) => void
  readonly #inTurn = createTurns()
  readonly #work: AwaitedWork | undefined
  readonly #mempool: MempoolCalls
  #state: GrammarState = beforeStart
  /** Whose calls `#state` is of. */
  #engine: Asker | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(options: SessionOptions) {
    const { application, chain, mempool, patience, snapshots, logger } = options
    this.#application = application
    this.#work = patience && new AwaitedWork(patience, () => application.workDueMs())
    this.#mempool = new MempoolCalls({
      ...{ application, mempool, logger },
      onWork: () => this.#work?.end(),
    })
    this.#snapshots = snapshots
    this.#answers = new Answers(application, chain)
    this.#logger = logger
    this.#onDecided = options.onDecided
    this.#onFailure = options.onFailure
  }

  /** Hands a transaction that the application has admitted to CometBFT when it asks for some. */
  relay(transaction: Uint8Array): void {
    this.#mempool.relay(transaction)
  }

  /** A connection has ended: what was asked by it waits for nothing. */
  left(): void {
    this.#work?.end()
  }

  /** Resolves once no call of the application is under way; what waits for its check is dropped. */
  async stop(): Promise<void> {
    await this.#inTurn(async () => {})
    await this.#mempool.stop()
  }

  /**
   * Answers a question, or throws what ends the connection.
   *
   * @throws CallOutOfOrderError, WrongGenesisError, UnknownMessageError, and what the application
   * throws
   */
  async answer(asked: Asked, asker: Asker): Promise<Answer> {
    switch (asked.case) {
      case 'echo':
        return { case: 'echo', value: { message: asked.value.message } }
      case 'flush':
        return flushed
      case 'info':
        // A commit that is under way counts: CometBFT goes on from what it is told.
        return this.#inTurn(() => this.#answers.info())
      case 'query':
        return { case: 'query', value: toResult({ ok: false, reason: 'NotFound' }) }
      case 'checkTx':
        return this.#mempool.check(asked.value)
      case 'insertTx':
        return this.#mempool.insert(asked.value.tx)
      case 'reapTxs':
        return this.#mempool.reap()
      case 'listSnapshots':
        return answerList(this.#snapshots?.list() ?? [])
      case 'loadSnapshotChunk':
        return this.#snapshots ? answerLoad(this.#snapshots, asked.value) : noChunk
      case 'offerSnapshot':
      case 'applySnapshotChunk':
        return this.#inTurn(() => this.#restore(asked))
      case 'initChain':
      case 'prepareProposal':
      case 'processProposal':
      case 'finalizeBlock':
      case 'commit':
        return this.#inTurn(() => this.#move(asked, asker))
      default:
        throw new UnknownMessageError(`${asked.case} is not served`, {})
    }
  }

  async #move(asked: Move, asker: Asker): Promise<Answer> {
    if (this.#failure) throw this.#failure.error
    if (asked.case === 'processProposal') this.#work?.proposed(Number(asked.value.height))
    if (asked.case === 'prepareProposal') await this.#awaitWork(asked.value, asker)
    await this.#follow(asked, asker)
    try {
      return await this.#carryOut(asked)
    } catch (error) {
      if (error instanceof WrongGenesisError) throw error
      throw this.#failed(error)
    }
  }

  /** A snapshot comes before any call that moves the ledger, and stands in for the blocks. */
  async #restore(asked: Restore): Promise<Answer> {
    if (this.#failure) throw this.#failure.error
    if (!this.#snapshots) {
      if (asked.case === 'offerSnapshot') return abortedOffer
      throw new UnknownMessageError('no snapshot was accepted', {})
    }
    try {
      const { verdict, answer } =
        asked.case === 'offerSnapshot'
          ? await answerOffer(this.#snapshots, asked.value)
          : await answerApply(this.#snapshots, asked.value)
      if (verdict.ok) return answer
      if (verdict.reason === 'LedgerInUse') throw new LedgerInUseError(verdict.detail, {})
      this.#logger.warn('a snapshot is not taken up', verdict)
      return answer
    } catch (error) {
      throw this.#failed(error)
    }
  }

  #failed(error: unknown): unknown {
    this.#failure = { error }
    this.#onFailure(error)
    return error
  }

  async #carryOut(asked: Move): Promise<Answer> {
    switch (asked.case) {
      case 'initChain':
        return this.#answers.initChain(asked.value)
      case 'prepareProposal':
        return this.#propose(asked.value)
      case 'processProposal':
        return toStatus(await this.#judge(asked.value))
      case 'finalizeBlock':
        return this.#answers.finalizeBlock(asked.value)
      case 'commit': {
        this.#tell(await this.#answers.commit())
        return { case: 'commit', value: {} }
      }
    }
  }

  /** A listener's defect is its own: what is committed stays committed. */
  #tell(decision: ConsensusDecision): void {
    this.#mempool.committed()
    try {
      this.#onDecided(decision)
    } catch (error) {
      this.#logger.error('a listener to decisions failed', { error })
    }
  }

  /** A defect costs the wait, not the block. */
  async #awaitWork({ height }: RequestPrepareProposal, asker: Asker): Promise<void> {
    if (!asker.isOpen) return
    try {
      await this.#work?.before(Number(height))
    } catch (error) {
      this.#logger.error('application failed to say when there is work', { error, height })
    }
  }

  /** An application that cannot say what it wants costs its transactions a turn, not the block. */
  async #propose(request: RequestPrepareProposal): Promise<Answer> {
    try {
      return await this.#answers.prepareProposal(request)
    } catch (error) {
      const { height } = request
      this.#logger.error('application failed to prepare a proposal', { error, height })
      return emptyProposal
    }
  }

  /** A defect that a proposal lays bare must not stop every validator with it. */
  async #judge(request: RequestProcessProposal): Promise<Verdict> {
    const verdict = await this.#answers
      .processProposal(request)
      .catch((error: unknown): Verdict => {
        this.#logger.error('application failed to judge a proposal', { error })
        return { ok: false, reason: 'ApplicationFailed' }
      })
    if (!verdict.ok)
      this.#logger.warn('proposal is invalid', { height: request.height, ...verdict })
    return verdict
  }

  /** Keeps to the order of calls; one connection at a time has the say. */
  async #follow(asked: Move, asker: Asker): Promise<void> {
    if (!asker.isOpen) throw new ConnectionGoneError('its connection has ended', {})
    if (this.#engine !== asker) {
      if (this.#engine?.isOpen) throw new TwoEnginesError('another connection has the say', {})
      const { height } = await this.#application.info()
      this.#state = afterCall(beforeStart, { call: 'start', height })
      this.#engine = asker
    }
    this.#state = afterCall(this.#state, toCall(asked))
  }
}

const flushed = constantAnswer({ case: 'flush', value: {} })
const noChunk = constantAnswer({ case: 'loadSnapshotChunk', value: {} })
const emptyProposal = constantAnswer({ case: 'prepareProposal', value: {} })
const abortedOffer = constantAnswer({ case: 'offerSnapshot', value: { result: Offer.ABORT } })

function toCall(asked: Move): Call {
  switch (asked.case) {
    case 'initChain':
    case 'commit':
      return { call: asked.case }
    default:
      return { call: asked.case, height: Number(asked.value.height) }
  }
}

/** A call whose connection ended before its turn came. */
export class ConnectionGoneError extends DomainError<'ConnectionGone'> {
  override readonly code = 'ConnectionGone'
}

/** CometBFT has lost its blocks, and would begin anew where the ledger cannot. */
export class LedgerInUseError extends DomainError<'LedgerInUse'> {
  override readonly code = 'LedgerInUse'
}

/** A second CometBFT wants to move the ledger while a first is connected. */
export class TwoEnginesError extends DomainError<'TwoEngines'> {
  override readonly code = 'TwoEngines'
}
