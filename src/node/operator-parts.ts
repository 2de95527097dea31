import type {
  CometMempool,
  CometPeers,
  CometStateSync,
  CometTiming,
  ConsensusEngine,
  Transport,
} from '#consensus'
import type { L1Account, L1Listener } from '#ethereum'
import type { Clock, Disk, Logger, Rng } from '#primitives'
import type { Declaration, Genesis, OperatorId } from '#records'
import type { FeedUrl } from '#services/price'
import type { KeyPackage } from '#threshold'
import type { Acceptance } from './acceptance.ts'
import type { Allocator } from './allocator.ts'
import type { LedgerApplication } from './application.ts'
import type { History } from './history.ts'
import type { OperatorSecrets } from './keys.ts'
import type { L1Switches, L1Worker } from './l1-duties.ts'
import type { Mempool } from './mempool.ts'
import type { Metrics } from './metrics.ts'
import type { OutboxIndex } from './outbox-index.ts'
import type { Answers, Reporter } from './reporter.ts'
import type { RestoredHold } from './restored.ts'
import type { L2, SequencerHost } from './sequencer-host.ts'
import type { SnapshotChoice } from './snapshot/operator-snapshots.ts'
import type { TaskRunner } from './task-runner.ts'

/** Which engine decides blocks, and what it is run with. */
export type ConsensusChoice =
  | { readonly engine: 'embedded'; readonly transport: Transport }
  | ({ readonly engine: 'cometbft' } & CometChoice)

/** How an operator's CometBFT is run. */
export type CometChoice = {
  /** The program. */
  readonly binary: string
  readonly peers: CometPeers
  readonly timing: CometTiming
  readonly mempool: CometMempool
  /** `host:port` of an RPC that others may ask about the chain; absent: none. */
  readonly rpcListen?: string | undefined
  readonly snapshots: SnapshotChoice
  /** Absent: a ledger that is new begins with block 1. */
  readonly stateSync?: CometStateSync | undefined
  /** Seed of its node's own key, for one that must not pass for the operator's: fault tests. */
  readonly nodeSeed?: Uint8Array
}

/** Days of a busy network: a few gigabytes. */
export const defaultKeptBlocks = 1_000_000

/** Everything that one operator is started with; nothing below reads environment or arguments. */
export type OperatorOptions = {
  readonly id: OperatorId
  readonly name: string
  readonly genesis: Genesis
  readonly secrets: OperatorSecrets
  readonly key: KeyPackage
  /** Folder of its log, blocks and L2 state; made when absent. */
  readonly folder: string
  /**
   * Blocks, L2 blocks and leaves of the outbox that are kept at least, the newest of each; at least
   * 1,024. Leaves that are owed on L1 stay. Absent: `defaultKeptBlocks`.
   */
  readonly keptBlocks?: number
  /**
   * Its sign guard may begin with nothing signed in a folder that was in use: only for keys that
   * have never signed.
   */
  readonly init?: boolean
  /** What its files go through; absent: the disk that `folder` is on. */
  readonly disk?: Disk
  readonly consensus: ConsensusChoice
  readonly l1Url: string
  /** 0 for any free port. */
  readonly port: number
  /** Address that its gateway listens on; 127.0.0.1 when absent. */
  readonly host?: string
  /** An L2 that operators of this process share; absent: its own. */
  readonly l2?: L2
  /** Three price feeds. */
  readonly feeds: readonly FeedUrl[]
  /** Gateways of the network by operator, for those who ask. */
  readonly gateways: () => ReadonlyMap<OperatorId, string>
  readonly clock: Clock
  readonly rng: Rng
  readonly logger: Logger
  /** What it says of itself to the ledger; absent: nothing. */
  readonly declares?: Declaration
  /** How a devnet's chaos bends its answers and suspends its duties; absent: honest. */
  readonly bend?: (honest: Answers) => Answers
  readonly switches?: L1Switches
  /** Told once, when it cannot go on. */
  readonly onFailure: (error: unknown) => void
  /** Aborted: a start that is under way ends, and throws. */
  readonly signal?: AbortSignal
}

/** A running operator. */
export type RunningOperator = {
  readonly id: OperatorId
  readonly url: string
  readonly application: LedgerApplication
  readonly engine: ConsensusEngine
  /** Ends it and closes its files, once; starting again on the same folder goes on. */
  stop(): Promise<void>
}

/**
 * Where an operator is in its life: it replays its blocks before it is live; `held` after a
 * restore, it follows and signs nothing yet; `superseded` by a newer copy of itself, and `failed`
 * when consensus cannot go on, it only answers why it does not serve.
 */
export type OperatorPhase = 'starting' | 'held' | 'live' | 'superseded' | 'failed' | 'stopping'

/** What one operator is made of. */
export type OperatorParts = {
  readonly options: OperatorOptions
  phase: OperatorPhase
  /** Code of what made it fail. */
  failure: string
  /** When it went live; 0 before. */
  liveSinceMs: number
  readonly application: LedgerApplication
  readonly mempool: Mempool
  readonly acceptance: Acceptance
  readonly engine: ConsensusEngine
  readonly sequencer: SequencerHost | undefined
  readonly listener: L1Listener
  readonly account: L1Account
  readonly worker: L1Worker
  readonly reporter: Reporter
  readonly runner: TaskRunner
  readonly allocator: Allocator
  readonly history: History
  readonly outbox: OutboxIndex
  readonly metrics: Metrics
  readonly hold: RestoredHold
}
