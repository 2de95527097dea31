import {
  assert,
  concatBytes,
  DomainError,
  fromHex,
  type Hex,
  keccak256Hex,
  type Store,
  toHex,
  utf8,
} from '#primitives'
import { type CheckRules, checkRules } from '../state/check.ts'
import type { BlockContext, BlockSummary } from '../state/computation.ts'
import { type L2Genesis, readL2Genesis } from '../state/genesis.ts'
import { type BuiltBlock, buildBlock } from './build-block.ts'
import { Collector } from './collect.ts'
import { createMachine, type Machine } from './machine.ts'
import { createQueries } from './queries.ts'
import { createQueue } from './queue.ts'
import { createReads, headOf } from './reads.ts'
import type { Recover } from './recover.ts'
import {
  addBlock,
  addChain,
  blockEntry,
  chainOf,
  dropFirstBlock,
  firstBlock,
  newBatch,
  readHeader,
  rowsVersion,
  stateSource,
} from './rows.ts'
import { storePart } from './snapshot-restore.ts'
import { neverStopped } from './stop.ts'
import type { BlockHead, Engine, ExecutionResult, QueryMethod } from './types.ts'

/** What an engine is made of. */
export type EngineOptions = {
  /** Genesis bytes of the L2, as the network's genesis holds them. */
  readonly genesis: Uint8Array
  /** The engine's own; it closes it. */
  readonly store: Store
  readonly recover: Recover
  /**
   * Blocks that are kept with their state, the latest among them; at least `minKeptBlocks`. Absent:
   * all.
   */
  readonly keptBlocks?: number | undefined
}

/** Blocks that executing needs, and some more: BLOCKHASH goes back 256. */
export const minKeptBlocks = 1_024

/**
 * A whole engine in this thread; its queries hold up its blocks, and nothing stops them.
 *
 * @throws L2GenesisError on an unusable genesis, ForeignStoreError on another chain's store.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const blocks = await createBlockEngine(options)
  return { ...blocks, ...(await createQueries({ ...options, isStopped: neverStopped })) }
}

/** An engine but for its queries. It opens at the store's latest block, or writes the first one. */
export async function createBlockEngine({
  genesis,
  store,
  recover,
  keptBlocks,
}: EngineOptions): Promise<Omit<Engine, QueryMethod>> {
  assert(keptBlocks === undefined || keptBlocks >= minKeptBlocks, 'execution needs its parents')
  const { chain, head: first } = openChain(genesis, store)
  const source = stateSource(store)
  const root = fromHex(first.header.stateRoot)
  const machine = await createMachine(chain.parameters, source, root, {
    recover,
    blockHashOf: (number) => blockEntry(store, number)?.hash,
  })
  const rules = checkRules(chain)
  const collector = keptBlocks === undefined ? undefined : new Collector(store)
  const builder = { store, machine, rules, recover, keptBlocks, collector }
  const inTurn = createQueue()
  return {
    ...createReads(store, source),
    execute: (height, context, transactions) =>
      inTurn(() => execute(builder, height, context, transactions)),
    restore: (part) => inTurn(async () => storePart(store, part)),
    close: () => inTurn(async () => store.close()),
  }
}

/** The chain and the store's head, after writing the genesis into an empty store. */
function openChain(genesis: Uint8Array, store: Store): { chain: L2Genesis; head: BlockHead } {
  const wanted = keccak256Hex(concatBytes(utf8(rowsVersion), genesis))
  const stored = chainOf(store)
  if (stored !== undefined && stored !== wanted)
    throw new ForeignStoreError('the L2 store belongs to another genesis or version', {
      stored,
      wanted,
    })
  const batch = newBatch(store)
  const chain = readL2Genesis(genesis, stored === undefined ? batch : undefined)
  if (stored === undefined) {
    addBlock(batch, chain, [], [])
    addChain(batch, wanted)
    store.putBatch(batch.rows)
  }
  return { chain, head: headOf(store) }
}

type Builder = {
  readonly store: Store
  readonly machine: Machine
  readonly rules: CheckRules
  readonly recover: Recover
  readonly keptBlocks: number | undefined
  /** Absent where all blocks are kept. */
  readonly collector: Collector | undefined
}

async function execute(
  { store, machine, rules, recover, collector, keptBlocks = Number.POSITIVE_INFINITY }: Builder,
  height: number,
  context: BlockContext,
  transactions: readonly Uint8Array[],
): Promise<ExecutionResult> {
  const header = readHeader(store, context.parentHash)
  if (!header)
    throw new UnknownParentError('the parent block was never executed here, or is kept no more', {
      height,
      parent: context.parentHash,
    })
  const parent = { hash: context.parentHash, header }
  if (toHex(machine.state.root) !== header.stateRoot) machine.state.reset(fromHex(header.stateRoot))
  const batch = newBatch(store)
  try {
    const input = { parent, context, transactions }
    const { block, dropped } = await buildBlock(machine, rules, recover, input, batch)
    if (!block) return { block: undefined, receipts: [], dropped }
    addBlock(batch, block, block.transactions, block.receipts)
    // At most one goes where one comes: a bound that was lowered is not reached at once.
    if (block.header.number - firstBlock(store) >= keptBlocks) dropFirstBlock(store, batch)
    collector?.add(batch, block)
    store.putBatch(batch.rows)
    return { block: summaryOf(block), receipts: block.receipts, dropped }
  } catch (error) {
    machine.state.reset(fromHex(header.stateRoot)) // nothing half-done survives
    collector?.reset()
    throw error
  }
}

const summaryOf = ({ hash, header }: BuiltBlock): BlockSummary => ({
  number: header.number,
  hash,
  stateRoot: header.stateRoot,
  timestamp: header.timestamp,
  baseFeePerGas: header.baseFeePerGas,
  gasUsed: header.gasUsed,
  gasLimit: header.gasLimit,
  parentHash: header.parentHash,
  transactionsRoot: header.transactionsRoot,
  receiptsRoot: header.receiptsRoot,
})

/** The store on disk was made for another L2 genesis, or by a version that kept other rows. */
export class ForeignStoreError extends DomainError<'ForeignL2Store', { stored: Hex; wanted: Hex }> {
  override readonly code = 'ForeignL2Store'
}

/** A block on a parent that is not stored: the ledger is ahead of the engine's store. */
export class UnknownParentError extends DomainError<
  'UnknownL2Parent',
  { height: number; parent: Hex }
> {
  override readonly code = 'UnknownL2Parent'
}
