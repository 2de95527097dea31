import { join } from 'node:path'
import type { Clock, Logger } from '#primitives'
import type { Application, Verdict } from '#records'
import type { ConsensusDecision, ConsensusEngine, ConsensusStatus } from '../engine/index.ts'
import { HandOver } from './hand-over.ts'
import {
  type CometConfig,
  type CometGenesis,
  type CometRpc,
  CometSupervisor,
  createCometRpc,
  makeFolder,
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
  readonly clock: Clock
  readonly logger: Logger
  /** Told once, when the engine cannot go on. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Consensus by CometBFT, a process of its own that this one starts, serves and ends. It keeps its
 * own record of what it has signed.
 */
export function createCometEngine(options: CometEngineOptions): ConsensusEngine {
  return new CometEngine(options)
}

class CometEngine implements ConsensusEngine {
  readonly #options: CometEngineOptions
  readonly #listeners = new Set<(decision: ConsensusDecision) => void>()
  #phase: 'new' | 'live' | 'failed' | 'stopped' = 'new'
  #status: ConsensusStatus = { height: 0, timeMs: 0 }
  #server: AbciServer | undefined
  #rpc: CometRpc | undefined
  #supervisor: CometSupervisor | undefined
  #pass: (transaction: Uint8Array) => void = () => {}

  constructor(options: CometEngineOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { application, snapshots, genesis, folder, binary } = this.#options
    const { consensusSeed, nodeSeed, config, clock, logger } = this.#options
    makeFolder(folder)
    const sockets = socketFolder(folder)
    const { height } = await application.info()
    const rpcSocket = join(sockets, 'rpc.sock')
    const rpcAddress = `unix://${rpcSocket}`
    const abciPath = join(sockets, 'abci.sock')
    const { maxTransactionBytes } = genesis
    const addresses = { abciAddress: `unix://${abciPath}`, rpcAddress }
    writeHome({
      ...{ folder, genesis, consensusSeed, nodeSeed, height },
      config: { ...config, ...addresses, maxTransactionBytes },
    })
    const server = await serveApplication({
      ...{ application, snapshots, chain: genesis, listen: { path: abciPath }, logger },
      onDecided: (decision) => this.#decided(decision),
      onFailure: (error) => this.#fail(error),
    })
    this.#server = server
    if (this.#hasEnded()) return void (await server.close())
    const rpc = createCometRpc(rpcAddress)
    this.#rpc = rpc
    const handOver = new HandOver(rpc, logger)
    this.#pass = (transaction) =>
      config.mempool === 'app' ? server.relay(transaction) : handOver.add(transaction)
    this.#supervisor = new CometSupervisor({
      ...{ program: { binary, home: folder, rpcSocket }, clock, logger },
      isUp: () =>
        rpc.status().then(
          () => true,
          () => false,
        ),
      onFailure: (error) => this.#fail(error),
    })
    this.#phase = 'live'
    await this.#supervisor.start()
  }

  /** Stopped or failed while it was being started: nothing more is opened. */
  #hasEnded(): boolean {
    return this.#phase === 'stopped' || this.#phase === 'failed'
  }

  async stop(): Promise<void> {
    if (this.#phase !== 'failed') this.#phase = 'stopped'
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
      const verdict = await application.checkTransaction(transaction)
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
