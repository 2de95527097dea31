import { join } from 'node:path'
import type { Hex } from '#primitives'
import { type Ledger, serviceState } from '#protocol'
import {
  createEthereumRpc,
  createPool,
  createWorkerEngine,
  type Engine,
  l2Head,
  type Pool,
  readL2Genesis,
  sequencerComputation,
  transactionPlace,
} from '#services/sequencer'
import { encodeTransaction, type Genesis, type Verdict } from '#records'
import type { L2BlockSummary } from './history.ts'
import type { CallPool } from './mempool.ts'
import { recover } from './native-recover.ts'

export const sequencerName = 'sequencer'

/** The L2 as one operator runs it: engine in a worker thread, pool, and Ethereum's JSON-RPC. */
export type SequencerHost = {
  readonly engine: Engine
  readonly pool: Pool
  readonly callPool: CallPool
  readonly compute: (input: Uint8Array) => Promise<Uint8Array>
  readonly chainId: number
}

/** Opens the L2 in the operator's folder; undefined when the genesis has no sequencer. */
export async function openSequencer(
  genesis: Genesis,
  folder: string,
): Promise<SequencerHost | undefined> {
  const entry = genesis.services.find(({ spec }) => spec.name === sequencerName)
  if (!entry) return undefined
  const engine = await createWorkerEngine({
    genesis: entry.state,
    store: { kind: 'sqlite', file: join(folder, 'l2.sqlite'), durable: false },
    recoverModule: new URL(sibling('native-recover'), import.meta.url).href,
  })
  const { parameters } = readL2Genesis(entry.state)
  const pool = createPool({ engine, recover, genesis: entry.state })
  return {
    engine,
    pool,
    callPool: {
      admit: (payload) => pool.admit(payload),
      take: (maxBytes) => pool.take(maxBytes),
      committed: (payloads, results) => pool.committed(payloads, results),
      executable: () => pool.executable(),
    },
    compute: sequencerComputation(engine),
    chainId: parameters.chainId,
  }
}

/** A module beside this one, with this one's extension: `.ts` from source, `.js` when built. */
const sibling = (name: string): string =>
  `./${name}${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`

/** Ethereum's JSON-RPC over the L2 of one operator. */
export const ethereumRpc = (
  { engine, pool, chainId }: SequencerHost,
  submit: (bytes: Uint8Array) => Promise<Verdict>,
) =>
  createEthereumRpc({
    engine,
    pool,
    chainId,
    submit: (payload: Uint8Array) =>
      submit(encodeTransaction({ kind: 'call', service: sequencerName, payload })),
  })

/** Where a transaction is: in a block, waiting, or ended with a reason. */
export async function findTransaction({ engine, pool }: SequencerHost, hash: Hex) {
  const place = await transactionPlace(engine, hash)
  if (place) return { state: 'included' as const, place: { ...place, trieProof: [...place.trieProof] } }
  if (pool.get(hash)) return { state: 'waiting' as const }
  const reason = pool.reasonOf(hash)
  return reason === undefined ? undefined : { state: 'ended' as const, reason }
}

/** The L2 block that a consensus block made, from the ledgers around it. */
export function l2BlockOf(
  before: Ledger,
  after: Ledger,
  transactions: number,
): L2BlockSummary | undefined {
  if (before.states === after.states) return undefined
  const head = l2Head(serviceState(after, sequencerName))
  return { number: head.number, hash: head.hash, transactions }
}
