import { join } from 'node:path'
import { WrongFileError } from '#consensus'
import { type Disk, type Hex, keccak256Hex, moduleBeside, setBounded, sha256Hex } from '#primitives'
import { type Ledger, serviceState } from '#protocol'
import { encodeTransaction, type Genesis, type Verdict } from '#records'
import {
  createEthereumRpc,
  createPool,
  createWorkerEngine,
  type Engine,
  EngineWorkerError,
  l2Head,
  type Pool,
  type RecoverLater,
  sequencerComputation,
  sequencerSpec,
  transactionPlace,
} from '#services/sequencer'
import type { CommittedBlock } from './application.ts'
import { makeOwnFile } from './disk.ts'
import type { L2BlockSummary } from './history.ts'
import { l2GenesisOf } from './l2-genesis.ts'
import type { CallPool } from './mempool.ts'
import { recover } from './native-recover.ts'
import type { PassedCalls } from './passed-calls.ts'
import { version } from './version.ts'

/** Name of the sequencer in the genesis and in leaves. */
export const sequencerName = sequencerSpec.name

/** The L2 as one operator runs it: engine in worker threads, pool, and Ethereum's JSON-RPC. */
export type SequencerHost = {
  readonly engine: Engine
  readonly pool: Pool
  readonly callPool: CallPool
  readonly compute: (input: Uint8Array) => Promise<Uint8Array>
  readonly chainId: number
  readonly close: () => Promise<void>
}

/** An L2 engine and its computation. */
export type L2 = Pick<SequencerHost, 'engine' | 'compute'> & { readonly close: () => Promise<void> }

const entryOf = (genesis: Genesis) =>
  genesis.services.find(({ spec }) => spec.name === sequencerName)

/** The L2's file in the operator's folder. */
export const l2File = 'l2.sqlite'

/**
 * Opens an L2 engine on the store in a folder; undefined when the genesis has no sequencer. What it
 * executes is durable before the ledger's commit, which so never stands on a block that is lost.
 *
 * @param options.folder - exists.
 * @param options.keptBlocks - of the L2; absent: all.
 * @throws WrongFileError when the store is another network's; EngineWorkerError; the disk's own.
 */
export async function openL2(options: {
  readonly genesis: Genesis
  readonly folder: string
  readonly disk: Pick<Disk, 'commit'>
  readonly keptBlocks?: number | undefined
}): Promise<L2 | undefined> {
  const { genesis, folder, disk, keptBlocks } = options
  const entry = entryOf(genesis)
  if (!entry) return undefined
  const file = join(folder, l2File)
  makeOwnFile(file)
  const engine = await createWorkerEngine({
    genesis: entry.state,
    store: { file, durable: true },
    recoverModule: moduleBeside('native-recover', import.meta.url).href,
    keptBlocks,
  }).catch((error: unknown) => {
    throw isForeign(error) ? foreign(file, error) : error
  })
  const compute = sequencerComputation(engine)
  return {
    engine,
    compute: (input) => disk.commit(l2File, () => compute(input)),
    close: () => engine.close(),
  }
}

const isForeign = (error: unknown): boolean =>
  error instanceof EngineWorkerError && error.details.cause === 'ForeignL2Store'

const foreign = (path: string, cause: unknown): WrongFileError =>
  new WrongFileError(
    `${path} belongs to another network, or to another version: give the operator its own data folder`,
    { path },
    cause,
  )

/** Computations kept for the other operators of the process. */
const keptComputations = 64

/**
 * The same engine for several operators: each computation runs once, named by its input's digest.
 * One that fails is forgotten, so that who asks later may have it tried again.
 */
export function shareL2(l2: L2): L2 {
  const running = new Map<Hex, Promise<Uint8Array>>()
  return {
    engine: l2.engine,
    compute: (input) => {
      const digest = sha256Hex(input)
      const known = running.get(digest)
      if (known) return known
      const started = l2.compute(input)
      setBounded(running, digest, started, keptComputations)
      started.catch(() => {
        if (running.get(digest) === started) running.delete(digest)
      })
      return started
    },
    close: async () => {}, // who opened the engine closes it
  }
}

/**
 * The pool and the rules of one operator around its L2 engine.
 *
 * @param passed - learns every admitted call: the pool checks by the service's own rules, and more.
 * @param recoverLater - recovers senders on arrival.
 */
export function hostSequencer(
  genesis: Genesis,
  l2: L2 | undefined,
  passed: PassedCalls,
  recoverLater?: RecoverLater,
): SequencerHost | undefined {
  const entry = entryOf(genesis)
  if (!entry || !l2) return undefined
  const { engine } = l2
  const chain = l2GenesisOf(entry.state)
  const pool = createPool({ engine, recover, recoverLater, chain })
  return {
    engine,
    pool,
    callPool: {
      admit: async (payload) => {
        const verdict = await pool.admit(payload)
        if (verdict.ok) passed.add(sequencerName, payload)
        return verdict
      },
      has: (payload) => pool.get(keccak256Hex(payload)) !== undefined,
      take: (maxBytes) => pool.take(maxBytes),
      committed: (payloads, results) => pool.committed(payloads, results),
      executable: () => pool.executable(),
      bytes: () => pool.bytes(),
    },
    compute: l2.compute,
    chainId: chain.parameters.chainId,
    close: l2.close,
  }
}

/** Ethereum's JSON-RPC over the L2 of one operator. */
export const ethereumRpc = (
  { engine, pool, chainId }: SequencerHost,
  submit: (bytes: Uint8Array) => Promise<Verdict>,
  isBehind: () => boolean,
) =>
  createEthereumRpc({
    engine,
    pool,
    chainId,
    isBehind,
    clientVersion: `nodeop/${version}`,
    submit: (payload: Uint8Array) =>
      submit(encodeTransaction({ kind: 'call', service: sequencerName, payload })),
  })

/**
 * Where a transaction is: in a block, waiting, or ended with a reason.
 *
 * @param reasonBefore - why it ended before this process began.
 */
export async function findTransaction(
  { engine, pool }: SequencerHost,
  hash: Hex,
  reasonBefore: (hash: Hex) => string | undefined,
) {
  const place = await transactionPlace(engine, hash)
  if (place)
    return { state: 'included' as const, place: { ...place, trieProof: [...place.trieProof] } }
  if (pool.get(hash)) return { state: 'waiting' as const }
  const reason = pool.reasonOf(hash) ?? reasonBefore(hash)
  return reason === undefined ? undefined : { state: 'ended' as const, reason }
}

/** Whether the engine's store holds the L2 block that a ledger stands on. */
export async function holdsHead({ engine }: SequencerHost, ledger: Ledger): Promise<boolean> {
  const { hash } = l2Head(serviceState(ledger, sequencerName))
  return (await engine.block({ by: 'hash', hash })) !== undefined
}

/** The L2 block that a consensus block made; undefined when it made none. */
export function l2BlockOf({
  before,
  after,
  transactions,
  results,
}: CommittedBlock): L2BlockSummary | undefined {
  if (before.states === after.states) return undefined
  const head = l2Head(serviceState(after, sequencerName))
  if (head.hash === l2Head(serviceState(before, sequencerName)).hash) return undefined
  const executed = transactions.filter(
    (one, place) =>
      one?.kind === 'call' && one.service === sequencerName && results[place]?.ok === true,
  )
  return { number: head.number, hash: head.hash, transactions: executed.length }
}
