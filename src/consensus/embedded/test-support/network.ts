import { type Hex, sha256Hex, utf8 } from '#primitives'
import type { Application, DecidedBlock, Validator } from '#records'
import { silentLogger } from '../../../../test/support/manual-clock.ts'
import { wallClock } from '../../../../test/support/wall-clock.ts'
import { type BlockStore, createMemoryBlockStore } from '../block-store.ts'
import { createEmbeddedEngine, type EmbeddedEngine } from '../engine.ts'
import { type ConsensusLog, createMemoryLog } from '../log.ts'
import type { EngineOptions, Timing } from '../runtime.ts'
import { createSigner, type Signer } from '../signer.ts'
import { createTransport, type DropRule, type Transport } from '../transport.ts'

/** The network that the tests' signatures are for. */
export const testNetwork: Hex = sha256Hex(utf8('test network'))

/** Short enough that a test need not wait, long enough that a busy machine stays in round 0. */
export const testTiming: Partial<Timing> = {
  blockIntervalMs: 5,
  heartbeatMs: 20,
  proposeMs: 300,
  voteMs: 50,
  growthMs: 100,
  gossipMs: 40,
}

/** Counts transactions; its app hash is the hash of the count. What it committed, it keeps. */
export type CountingApplication = Application & {
  readonly committed: DecidedBlock[]
  readonly count: () => number
}

/** @param validators - the genesis; @param updates - what a block at this height changes. */
export function createCountingApplication(
  validators: readonly Validator[],
  updates: (height: number) => readonly Validator[] = () => [],
): CountingApplication {
  const committed: DecidedBlock[] = []
  const pool = new Map<Hex, Uint8Array>()
  let count = 0
  let next: { readonly block: DecidedBlock; readonly count: number } | undefined
  const appHash = (of: number) => sha256Hex(utf8(`count ${of}`))
  return {
    committed,
    count: () => count,
    info: () => Promise.resolve({ height: committed.length, appHash: appHash(count) }),
    consensusKeys: () => validators.map(({ consensusKey }) => consensusKey),
    initChain: () => Promise.resolve({ appHash: appHash(0), validators }),
    checkTransaction(bytes) {
      if (bytes.length === 0) return Promise.resolve({ ok: false, reason: 'Empty' })
      pool.set(sha256Hex(bytes), bytes)
      return Promise.resolve({ ok: true })
    },
    holdsTransaction: (bytes) => pool.has(sha256Hex(bytes)),
    prepareProposal: () => Promise.resolve([...pool.values()]),
    processProposal: ({ transactions }) =>
      Promise.resolve(
        transactions.some(({ length }) => length === 0)
          ? { ok: false, reason: 'Empty' }
          : { ok: true },
      ),
    finalizeBlock(block) {
      next = { block, count: count + block.transactions.length }
      return Promise.resolve({
        appHash: appHash(next.count),
        results: block.transactions.map(() => ({ ok: true }) as const),
        validatorUpdates: updates(block.height),
      })
    },
    commit() {
      if (!next) throw new Error('defect: commit without finalizeBlock')
      committed.push(next.block)
      count = next.count
      for (const bytes of next.block.transactions) pool.delete(sha256Hex(bytes))
      next = undefined
      return Promise.resolve()
    },
    workDueMs: () => undefined,
  }
}

/** One validator of a test network; log, store and application outlive its engine. */
export type TestPeer = {
  readonly key: Hex
  readonly signer: () => Signer
  readonly application: CountingApplication
  readonly store: BlockStore
  engine: EmbeddedEngine
  log: ConsensusLog
}

/** Validators that reach each other. */
export type TestNetwork = { readonly transport: Transport; readonly peers: readonly TestPeer[] }

/** What a test may set. */
export type NetworkPlan = {
  readonly size?: number
  readonly drops?: DropRule
  readonly timing?: Partial<Timing>
  readonly updates?: (height: number) => readonly Validator[]
  /** Genesis validators, when not all peers with equal power. */
  readonly validators?: (keys: readonly Hex[]) => readonly Validator[]
  /** The parts of one peer that differ. */
  readonly parts?: (index: number, options: EngineOptions) => Partial<EngineOptions>
}

/** Validators that share one in-memory transport; none is started. */
export function createTestNetwork(plan: NetworkPlan = {}): TestNetwork {
  const transport = createTransport(plan.drops)
  const indices = Array.from({ length: plan.size ?? 4 }, (_, i) => i)
  const keys = indices.map((i) => testSigner(i).publicKey)
  const validators =
    plan.validators?.(keys) ?? keys.map((consensusKey) => ({ consensusKey, power: 1n }))
  const peers = indices.map((i): TestPeer => {
    const application = createCountingApplication(validators, plan.updates)
    const options = testOptions(i, application, transport, plan.timing)
    const parts = { ...options, ...plan.parts?.(i, options) }
    return {
      key: parts.signer.publicKey,
      signer: () => testSigner(i),
      application,
      store: parts.blockStore,
      log: parts.log,
      engine: createEmbeddedEngine(parts),
    }
  })
  return { transport, peers }
}

/** A new engine for a peer that was stopped: its own log, store and application, a fresh guard. */
export function revive(network: TestNetwork, peer: TestPeer, log: ConsensusLog): void {
  peer.log = log
  peer.engine = createEmbeddedEngine({
    ...testOptions(0, peer.application, network.transport, undefined),
    signer: peer.signer(),
    log,
    blockStore: peer.store,
  })
}

/** The key of a peer by number. */
export const testSigner = (index: number): Signer =>
  createSigner(new Uint8Array(32).fill(index + 1))

/** Resolves once an engine has committed a height. */
export function decided({ engine }: TestPeer, height: number): Promise<void> {
  return new Promise((resolve) => {
    if (engine.status().height >= height) return resolve()
    const stop = engine.onDecided(({ block }) => {
      if (block.height < height) return
      stop()
      resolve()
    })
  })
}

const testOptions = (
  index: number,
  application: Application,
  transport: Transport,
  timing: Partial<Timing> | undefined,
): EngineOptions => ({
  networkId: testNetwork,
  application,
  stateFiles: 'what the application keeps',
  signer: testSigner(index),
  log: createMemoryLog(),
  blockStore: createMemoryBlockStore(),
  transport,
  clock: wallClock,
  logger: silentLogger,
  timing: { ...testTiming, ...timing },
})
