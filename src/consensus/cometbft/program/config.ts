import type { Hex } from '#primitives'
import { longestBatch } from '../batch.ts'

/** CometBFT's clocks, in milliseconds, and what goes with them. */
export type CometTiming = {
  /** For the proposer to make a block and it to arrive, in round 0, and more for each round. */
  readonly proposeMs: number
  readonly proposeGrowthMs: number
  /** For late prevotes and precommits, in round 0, and more for each round. */
  readonly voteMs: number
  readonly voteGrowthMs: number
  /** After a commit, for late precommits and for transactions to gather. */
  readonly commitMs: number
  /** Whether that wait ends when all precommits are in. */
  readonly skipsCommit: boolean
  /** Between two blocks while there is nothing to do, at most. */
  readonly heartbeatMs: number
  /** Between two looks at what a peer lacks. */
  readonly gossipMs: number
  readonly majorityMs: number
  /** What is sent to a peer waits so long for more. */
  readonly flushMs: number
  /** Between two questions for what is new in the application's mempool. */
  readonly reapMs: number
}

/** Clocks for the distance between operators. */
export const cometTimings = {
  /**
   * One machine or one data centre. Waiting for a proposal or for votes is as patient as on the
   * embedded engine: it costs nothing where they come, and a busy machine loses no round.
   */
  lan: {
    proposeMs: 1_000,
    proposeGrowthMs: 500,
    voteMs: 300,
    voteGrowthMs: 200,
    commitMs: 20,
    skipsCommit: true,
    heartbeatMs: 1_000,
    gossipMs: 10,
    majorityMs: 250,
    flushMs: 10,
    reapMs: 10,
  },
  /** The world: CometBFT's own values, but for `heartbeatMs` and `reapMs` (0 and 500 ms there). */
  wan: {
    proposeMs: 3_000,
    proposeGrowthMs: 500,
    voteMs: 1_000,
    voteGrowthMs: 500,
    commitMs: 1_000,
    skipsCommit: false,
    heartbeatMs: 1_000,
    gossipMs: 100,
    majorityMs: 2_000,
    flushMs: 10,
    reapMs: 20,
  },
} as const satisfies Record<string, CometTiming>

/** Where a node listens and whom it calls. */
export type CometPeers = {
  /** `host:port` that it listens on for other nodes. */
  readonly listen: string
  /** `host:port` by which others reach it, when that is another. */
  readonly external?: string
  /** `id@host:port` of nodes that it keeps a connection to. */
  readonly persistent: readonly string[]
}

/** Kinds of mempool that CometBFT can have, the one to run first: the application's, or its own. */
export const cometMempools = ['app', 'flood'] as const
export type CometMempool = (typeof cometMempools)[number]

/** How a node that has no block yet begins from a snapshot of others, instead of from block 1. */
export type CometStateSync = {
  /** `host:port` of the RPC of two nodes or more, of different operators: they are compared. */
  readonly servers: readonly string[]
  /** A block that is believed, by what was heard of it elsewhere: its height, and its hash. */
  readonly trustHeight: number
  readonly trustHash: Hex
  /** How long it is believed: below the time that stake stays locked. */
  readonly trustPeriodS: number
}

/** What `config.toml` says. */
export type CometConfig = {
  readonly moniker: string
  /** Where our ABCI server listens, and where it serves RPC: `unix://PATH` or `tcp://HOST:PORT`. */
  readonly abciAddress: string
  readonly rpcAddress: string
  readonly peers: CometPeers
  readonly timing: CometTiming
  readonly mempool: CometMempool
  readonly maxTransactionBytes: number
  /** `host:port` for those who want to know the chain, beside `rpcAddress`; absent: nobody. */
  readonly rpcListen?: string | undefined
  /** Absent: it begins from block 1. Of no effect once it has a block. */
  readonly stateSync?: CometStateSync | undefined
}

/** What does not differ between operators, in CometBFT's own words. */
const bounds = {
  /** Requests to its RPC: transactions that we hand over come many at a time. */
  rpcBatch: 1_000,
  rpcBodyBytes: 8 * 1024 * 1024,
  /** Its mempool repeats ours, which has bounds of its own. */
  mempoolTransactions: 50_000,
  mempoolBytes: 64 * 1024 * 1024,
  /** Bytes a second to one peer, and from it. */
  peerRate: 20_480_000,
  /** How long peers are asked for snapshots before one is chosen: the least that is allowed. */
  discoveryMs: 5_000,
} as const

/**
 * `config.toml`; what it leaves out is as CometBFT has it by default.
 *
 * @see https://docs.cosmos.network/cometbft for every entry.
 */
export const configToml = (config: CometConfig): string =>
  Object.entries(sectionsOf(config))
    .map(([name, entries]) => (name === '' ? lines(entries) : `[${name}]\n${lines(entries)}`))
    .join('\n')

type Entry = string | number | boolean

const lines = (entries: Readonly<Record<string, Entry>>): string =>
  Object.entries(entries)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join('')

const publicRpc = ({ rpcListen }: CometConfig): readonly string[] =>
  rpcListen === undefined ? [] : [`tcp://${rpcListen}`]

const stateSyncEntries = ({ servers, ...trust }: CometStateSync) => ({
  enable: true,
  rpc_servers: servers.map((server) => `http://${server}`).join(','),
  trust_height: trust.trustHeight,
  trust_hash: trust.trustHash.slice(2).toUpperCase(),
  trust_period: `${trust.trustPeriodS}s`,
  discovery_time: ms(bounds.discoveryMs),
})

const ms = (duration: number): string => `${duration}ms`

function sectionsOf(
  config: CometConfig,
): Readonly<Record<string, Readonly<Record<string, Entry>>>> {
  const { peers, timing, mempool, maxTransactionBytes: largest } = config
  return {
    '': {
      moniker: config.moniker,
      proxy_app: config.abciAddress,
      abci: 'socket',
      log_level: 'p2p:info,*:error',
      log_format: 'plain',
    },
    rpc: {
      laddr: [config.rpcAddress, ...publicRpc(config)].join(','),
      max_body_bytes: bounds.rpcBodyBytes,
      max_request_batch_size: bounds.rpcBatch,
    },
    p2p: {
      laddr: `tcp://${peers.listen}`,
      external_address: peers.external ?? '',
      persistent_peers: peers.persistent.join(','),
      // Operators of one network may be behind one address, and on a private one.
      addr_book_strict: false,
      allow_duplicate_ip: true,
      flush_throttle_timeout: ms(timing.flushMs),
      send_rate: bounds.peerRate,
      recv_rate: bounds.peerRate,
    },
    mempool: {
      type: mempool,
      recheck: mempool === 'flood',
      size: bounds.mempoolTransactions,
      cache_size: 2 * bounds.mempoolTransactions,
      max_txs_bytes: bounds.mempoolBytes,
      max_tx_bytes: mempool === 'app' ? longestBatch(largest) : largest,
      ...(mempool === 'app' ? { reap_interval: ms(timing.reapMs) } : {}),
    },
    consensus: {
      timeout_propose: ms(timing.proposeMs),
      timeout_propose_delta: ms(timing.proposeGrowthMs),
      timeout_prevote: ms(timing.voteMs),
      timeout_prevote_delta: ms(timing.voteGrowthMs),
      timeout_precommit: ms(timing.voteMs),
      timeout_precommit_delta: ms(timing.voteGrowthMs),
      timeout_commit: ms(timing.commitMs),
      skip_timeout_commit: timing.skipsCommit,
      // The application's mempool never says that there is work: its proposer waits for some.
      create_empty_blocks: mempool === 'app',
      create_empty_blocks_interval: ms(mempool === 'app' ? 0 : timing.heartbeatMs),
      peer_gossip_sleep_duration: ms(timing.gossipMs),
      peer_query_maj23_sleep_duration: ms(timing.majorityMs),
    },
    ...(config.stateSync ? { statesync: stateSyncEntries(config.stateSync) } : {}),
    storage: { discard_abci_responses: true },
    tx_index: { indexer: 'null' },
  }
}
