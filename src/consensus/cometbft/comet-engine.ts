import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Clock, DomainError, type Logger } from '#primitives'
import type { Application, Verdict } from '#records'
import {
  type ConsensusDecision,
  type ConsensusEngine,
  type ConsensusStatus,
  type Hold,
  submissionVerdict,
} from '../engine/index.ts'
import { validatorAddress } from '../light/index.ts'
import { idleWaitMs } from './awaited-work.ts'
import type { ConnectionEnd } from './connection.ts'
import { type DiskWatch, watchDisk } from './disk-watch.ts'
import { watchCommits } from './fresh-commits.ts'
import { HandOver } from './hand-over.ts'
import {
  type CometConfig,
  type CometGenesis,
  type CometRpc,
  CometSupervisor,
  createCometRpc,
  makeFolder,
  nodeSeedOf,
  publicKeyOf,
  socketFolder,
  writeHome,
} from './program/index.ts'
import { type AbciServer, serveApplication } from './server.ts'
import type { SnapshotPort } from './snapshots.ts'

/** Everything that one operator's CometBFT needs. */
export type CometEngineOptions = {
  readonly application: Application
  readonly snapshots?: SnapshotPort
  readonly genesis: CometGenesis
  /** CometBFT's folder, absolute; made when absent, in one that exists. */
  readonly folder: string
  /** The program. */
  readonly binary: string
  /** ed25519 seed, 32 bytes: signs votes, and nothing but this CometBFT may sign with it. */
  readonly consensusSeed: Uint8Array
  /** ed25519 seed of the node's own key, 32 bytes; absent: it derives from the validator's. */
  readonly nodeSeed?: Uint8Array | undefined
  readonly config: Omit<CometConfig, 'abciAddress' | 'rpcAddress' | 'maxTransactionBytes'>
  /**
   * Absent: it takes part from the start. While it is held, CometBFT has a key that has no vote,
   * and before it ends, its record of what was signed is raised (`raiseSignState`).
   */
  readonly hold?: CometHold
  /** Remembers, apart from CometBFT's folder, that there is a record of what was signed. */
  readonly signRecord: SignRecord
  /** Writes something beside CometBFT's files; rejects with what is wrong with the disk. */
  readonly tryDisk: () => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
  /** Told once, when the engine cannot go on. */
  readonly onFailure: (error: unknown) => void
}

/** A hold that says when it is over. */
export type CometHold = Hold & {
  /** Resolves when it has ended; never, when it was none. */
  readonly ended: Promise<void>
}

/**
 * Whether a validator's record of what it has signed was ever begun: a lost one is not made anew.
 */
export type SignRecord = {
  hasBegun(): boolean
  /** Durable when it resolves. Nothing is signed before. */
  begin(): Promise<void>
}

/**
 * Consensus by CometBFT, a process of its own that this one starts, serves and ends. It keeps its
 * own record of what it has signed.
 */
export function createCometEngine(options: CometEngineOptions): ConsensusEngine {
  makeFolder(options.folder)
  const sockets = socketFolder(options.folder)
  const paths = { abci: join(sockets, 'abci.sock'), rpc: join(sockets, 'rpc.sock') }
  return new CometEngine(options, paths)
}

/** What it listens on, and what CometBFT does. */
type Sockets = { readonly abci: string; readonly rpc: string }

class CometEngine implements ConsensusEngine {
  readonly #options: CometEngineOptions
  readonly #sockets: Sockets
  readonly #listeners = new Set<(decision: ConsensusDecision) => void>()
  #phase: 'new' | 'live' | 'failed' | 'stopped' = 'new'
  #status: ConsensusStatus = { height: 0, timeMs: 0 }
  #server: AbciServer | undefined
  #rpc: CometRpc | undefined
  #supervisor: CometSupervisor | undefined
  #disk: DiskWatch | undefined
  #pass: (transaction: Uint8Array) => void = () => {}

  constructor(options: CometEngineOptions, sockets: Sockets) {
    this.#options = options
    this.#sockets = sockets
  }

  async start(): Promise<void> {
    const { application, snapshots, genesis, config, hold } = this.#options
    const { tryDisk, clock, logger } = this.#options
    await tryDisk()
    await this.#prepareHome()
    let refused: ConnectionEnd | undefined
    const server = await serveApplication({
      ...{ application, snapshots, chain: genesis, mempool: config.mempool, logger },
      ...(config.mempool === 'app'
        ? { patience: { clock, limitMs: idleWaitMs(config.timing) } }
        : {}),
      listen: { path: this.#sockets.abci },
      onDecided: (decision) => this.#decided(decision),
      onFailure: (error) => this.#fail(error),
      onEnd: (end) => {
        if (end.reason !== undefined) refused = end
      },
    })
    this.#server = server
    if (this.#hasEnded()) return void (await server.close())
    const rpc = createCometRpc(`unix://${this.#sockets.rpc}`)
    this.#rpc = rpc
    const handOver = new HandOver(rpc, logger)
    this.#pass = (transaction) =>
      config.mempool === 'app' ? server.relay(transaction) : handOver.add(transaction)
    this.#phase = 'live'
    if (hold?.isHeld()) this.#keepSilent(hold, rpc)
    this.#disk = watchDisk({ tryDisk, clock, onFailure: (error) => this.#fail(error) })
    await this.#launch(rpc).catch((error: unknown) => {
      // Why CometBFT was refused says more than how it ended then.
      throw refused ? refused.error : error
    })
  }

  /** Makes CometBFT's folder ready for its next start. */
  async #prepareHome(): Promise<void> {
    const { application, genesis, folder, consensusSeed, nodeSeed, hold } = this.#options
    const { signRecord } = this.#options
    const { maxTransactionBytes } = genesis
    const { height } = await application.info()
    // What it has signed is not known while it is held, and the record is raised before it speaks.
    const validator = hold?.isHeld()
      ? { consensusSeed: randomBytes(32), hasSigned: false }
      : { consensusSeed, hasSigned: height > 0 || signRecord.hasBegun() }
    writeHome({
      ...{ folder, genesis, ...validator, nodeSeed: nodeSeed ?? nodeSeedOf(consensusSeed) },
      config: {
        ...{ ...this.#options.config, maxTransactionBytes },
        abciAddress: `unix://${this.#sockets.abci}`,
        rpcAddress: `unix://${this.#sockets.rpc}`,
      },
    })
    await signRecord.begin()
  }

  async #launch(rpc: CometRpc): Promise<void> {
    const { binary, folder, tryDisk, clock, logger } = this.#options
    this.#supervisor = new CometSupervisor({
      ...{ program: { binary, home: folder, rpcSocket: this.#sockets.rpc }, clock, logger },
      isUp: () =>
        rpc.status().then(
          () => true,
          () => false,
        ),
      onEnded: tryDisk,
      onFailure: (error) => this.#fail(error),
    })
    await this.#supervisor.start()
  }

  #keepSilent(hold: CometHold, rpc: CometRpc): void {
    const { application, consensusSeed, clock, logger } = this.#options
    const watch = watchCommits({
      ...{ hold, clock, consensusKeys: () => application.consensusKeys() },
      isCatchingUp: async () => (await rpc.status()).isCatchingUp,
      own: {
        address: validatorAddress(publicKeyOf(consensusSeed)),
        onSigned: (height) => this.#fail(keyInUse(height)),
      },
    })
    const stop = this.onDecided((decision) => {
      watch(decision).catch((error: unknown) =>
        // It is being started again, say: the next block tells the same.
        logger.debug('CometBFT does not say whether it has caught up', { error }),
      )
    })
    hold.ended
      .then(stop)
      .then(() => this.#speak())
      .catch((error: unknown) => this.#fail(error))
  }

  /** The hold has ended: CometBFT begins anew, with the key that has a vote. */
  async #speak(): Promise<void> {
    await this.#supervisor?.stop()
    if (this.#hasEnded() || !this.#rpc) return
    await this.#prepareHome()
    if (!this.#hasEnded()) await this.#launch(this.#rpc)
  }

  /** Stopped or failed while it was being started: nothing more is opened. */
  #hasEnded(): boolean {
    return this.#phase === 'stopped' || this.#phase === 'failed'
  }

  async stop(): Promise<void> {
    if (this.#phase !== 'failed') this.#phase = 'stopped'
    this.#disk?.stop()
    await this.#supervisor?.stop()
    await this.#server?.close()
    this.#rpc?.close()
  }

  async submit(transaction: Uint8Array): Promise<Verdict> {
    const { application, genesis, logger } = this.#options
    if (this.#phase !== 'live') return { ok: false, reason: 'EngineStopped' }
    if (transaction.length > genesis.maxTransactionBytes)
      return { ok: false, reason: 'TransactionTooLarge' }
    try {
      const judged = await application.checkTransaction(transaction)
      const verdict = submissionVerdict(application, transaction, judged)
      if (verdict.ok) this.#pass(transaction)
      return verdict
    } catch (error) {
      // Whatever a stranger sends, it must not stop the validator.
      logger.error('application failed to check a transaction', { error })
      return { ok: false, reason: 'ApplicationFailed' }
    }
  }

  status(): ConsensusStatus {
    return this.#status
  }

  onDecided(listener: (decision: ConsensusDecision) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #decided(decision: ConsensusDecision): void {
    const { height, timeMs } = decision.block
    this.#status = { height, timeMs }
    this.#disk?.decided()
    for (const listener of this.#listeners)
      try {
        listener(decision)
      } catch (error) {
        this.#options.logger.error('a listener to decisions failed', { error })
      }
  }

  #fail(error: unknown): void {
    if (this.#phase === 'failed' || this.#phase === 'stopped') return
    this.#phase = 'failed'
    this.#options.onFailure(error)
  }
}

const keyInUse = (height: number): KeyInUseError =>
  new KeyInUseError(
    `this operator was restored from a backup and is silent, yet block ${height} has a vote of its ` +
      'key that is newer than its start: another process signs with it. Stop that one first',
    { height },
  )

/** The life that a backup was made of goes on beside the restored one. */
export class KeyInUseError extends DomainError<'KeyInUse', { readonly height: number }> {
  override readonly code = 'KeyInUse'
}
