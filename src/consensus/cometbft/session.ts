import { DomainError, type Logger } from '#primitives'
import { type Application, isDuty, isWaiting, type Verdict } from '#records'
import {
  afterCall,
  beforeStart,
  type Call,
  type ConsensusDecision,
  type GrammarState,
} from '../engine/index.ts'
import { Answers, refusedCode, toResult, toStatus } from './answers.ts'
import { AwaitedWork, type Patience } from './awaited-work.ts'
import { tryDecodeBatch } from './batch.ts'
import { type Chain, WrongGenesisError } from './chain.ts'
import { type Handed, Intake } from './intake.ts'
import {
  CheckTxType,
  ResponseOfferSnapshot_Result as Offer,
  type RequestCheckTx,
  type RequestPrepareProposal,
  type RequestProcessProposal,
} from './messages/abci_pb.ts'
import { type Answer, type Asked, constantAnswer, UnknownMessageError } from './messages.ts'
import type { CometMempool } from './program/index.ts'
import { Relay } from './relay.ts'
import { answerApply, answerList, answerLoad, answerOffer, type SnapshotPort } from './snapshots.ts'
import { createTurns } from './turns.ts'

/** Of a transaction that the application has dropped, replaced or seen in a block. */
const noLongerWaiting: Verdict = { ok: false, reason: 'NoLongerWaiting' }

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
  readonly #mempool: CometMempool
  readonly #work: AwaitedWork | undefined
  readonly #relay = new Relay()
  readonly #intake = new Intake((handed) => this.#admit(handed), isDuty)
  /** Transactions that are being checked. */
  readonly #checks = new Set<Promise<Verdict>>()
  #state: GrammarState = beforeStart
  /** Whose calls `#state` is of. */
  #engine: Asker | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(options: SessionOptions) {
    const { application, chain, mempool, patience, snapshots, logger } = options
    this.#application = application
    this.#mempool = mempool
    this.#work = patience && new AwaitedWork(patience, () => application.workDueMs())
    this.#snapshots = snapshots
    this.#answers = new Answers(application, chain)
    this.#logger = logger
    this.#onDecided = options.onDecided
    this.#onFailure = options.onFailure
  }

  /** Hands a transaction that the application has admitted to CometBFT when it asks for some. */
  relay(transaction: Uint8Array): void {
    this.#relay.add(transaction)
    this.#work?.end()
  }

  /** A connection has ended: what was asked by it waits for nothing. */
  left(): void {
    this.#work?.end()
  }

  /** Resolves once no call of the application is under way; what waits for its check is dropped. */
  async stop(): Promise<void> {
    await this.#inTurn(async () => {})
    await Promise.all([...this.#checks, this.#intake.stop()])
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
        return this.#checkFor(asked.value)
      case 'insertTx':
        return this.#insert(asked.value.tx)
      case 'reapTxs': {
        const batch = this.#relay.take()
        return batch ? { case: 'reapTxs', value: { txs: [batch] } } : nothingNew
      }
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

  /**
   * CometBFT asks again after each block: whether to keep what it holds. A new transaction for the
   * application's mempool comes from CometBFT's RPC.
   */
  async #checkFor({ tx, type }: RequestCheckTx): Promise<Answer> {
    if (type === CheckTxType.RECHECK)
      return toCheck(this.#application.holdsTransaction(tx) ? { ok: true } : noLongerWaiting)
    if (this.#mempool === 'app')
      return this.#intake.take({ transaction: tx, from: 'client' }) ? admitted : busyCheck
    return toCheck(welcome(await this.#check(tx)))
  }

  /** Takes what a peer has passed on, as much of it as there is room for. */
  #insert(bytes: Uint8Array): Answer {
    const batch = tryDecodeBatch(bytes)
    if (!batch) return malformedInsert
    const isWhole = batch.transactions
      .map((transaction) => this.#intake.take({ transaction, from: 'peer' }))
      .every(Boolean)
    return isWhole ? inserted : busyInsert
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
    this.#work?.end()
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
    this.#relay.committed((transaction) => this.#application.holdsTransaction(transaction))
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

/** What waits already is welcome: CometBFT is to pass it on. */
const welcome = (verdict: Verdict): Verdict => (isWaiting(verdict) ? { ok: true } : verdict)

const flushed = constantAnswer({ case: 'flush', value: {} })
const noChunk = constantAnswer({ case: 'loadSnapshotChunk', value: {} })
const emptyProposal = constantAnswer({ case: 'prepareProposal', value: {} })
const abortedOffer = constantAnswer({ case: 'offerSnapshot', value: { result: Offer.ABORT } })
const admitted = constantAnswer({ case: 'checkTx', value: {} })
const inserted = constantAnswer({ case: 'insertTx', value: {} })

/** CometBFT forgets that it has seen a transaction with this code, or a greater one. */
const retryCode = 32_000
const busy = { ...toResult({ ok: false, reason: 'OperatorBusy' }), code: retryCode }
const busyCheck = constantAnswer({ case: 'checkTx', value: busy })
const malformedInsert = constantAnswer({ case: 'insertTx', value: { code: refusedCode } })
const nothingNew = constantAnswer({ case: 'reapTxs', value: {} })
const busyInsert = constantAnswer({ case: 'insertTx', value: { code: retryCode } })

const toCheck = (verdict: Verdict): Answer =>
  verdict.ok ? admitted : { case: 'checkTx', value: toResult(verdict) }

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
