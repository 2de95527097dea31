import { DomainError, type Hex } from '#primitives'
import {
  createCore,
  createSchedule,
  type JournalInput,
  type Output,
  referencedValues,
  replayJournal,
} from '../core/index.ts'
import { openBlock, toProposed } from './block.ts'
import { carryOutAll, feed } from './consensus.ts'
import { loadIncluded } from './evidence.ts'
import type { LogRecord } from './log.ts'
import {
  AppHashDivergedError,
  type EngineOptions,
  type Runtime,
  type Tip,
  workingHeight,
} from './runtime.ts'
import { proposalSignBytes, voteSignBytes } from './sign-bytes.ts'
import type { StoredBlock } from './stored-block.ts'

/**
 * Brings the application to the block store's height.
 *
 * @returns the last block of the store, or the genesis.
 * @throws StoreBehindError, AppHashDivergedError
 */
export async function recoverTip(options: EngineOptions): Promise<Tip> {
  const { application, stateFiles, blockStore } = options
  const info = await application.info()
  const stored = blockStore.height()
  if (info.height > stored)
    throw new StoreBehindError(
      `${blockStore.name} ends at block ${stored}, and the application has come to ${info.height}: ` +
        `restore the file, or move ${stateFiles} away too; the blocks come from peers`,
      { application: info.height, blockStore: stored },
    )
  if (info.height + 1 < blockStore.first())
    throw new BlocksPrunedError(
      `${blockStore.name} begins at block ${blockStore.first()}, and the application has come to ` +
        `${info.height}: restore the folder from a backup`,
      { application: info.height, first: blockStore.first() },
    )
  const genesis = info.height === 0 ? await application.initChain() : undefined
  if (info.height > 0) requireSame(info.appHash, await load(options, info.height))
  for (let height = info.height + 1; height <= stored; height++)
    await executeAgain(options, await load(options, height))
  if (stored > 0) return toTip(await load(options, stored))
  const { appHash, validators } = genesis ?? { appHash: info.appHash, validators: [] }
  return {
    height: 0,
    hash: options.networkId,
    timeMs: 0,
    appHash,
    commit: undefined,
    validators: undefined,
    schedule: createSchedule(validators),
  }
}

/**
 * Replays the log of the height that was under way. Nothing is sent; what the core still wants done
 * after the last record is returned.
 */
export async function replayLog(runtime: Runtime): Promise<readonly Output[]> {
  await loadIncluded(runtime.evidence, runtime.options.blockStore)
  const { tip, self, options } = runtime
  runtime.core = createCore(self, tip.height, tip.schedule)
  const height = workingHeight(runtime)
  const records = options.log.replay().filter((record) => heightOf(record) === height)
  if (records.length === 0) return []
  runtime.phase = 'running'
  runtime.enteredMs = options.clock.nowMs()
  runtime.movedMs = runtime.enteredMs
  const inputs: JournalInput[] = []
  for (const record of records) {
    const input = await toInput(runtime, record)
    if (input) inputs.push(input)
  }
  const { state, open } = replayJournal(runtime.core, tip.schedule, inputs)
  runtime.core = state
  options.logger.info('consensus log replayed', { height, records: records.length })
  return open
}

/** Takes up a height where the log ended. */
export async function resume(runtime: Runtime, open: readonly Output[]): Promise<void> {
  await feed(runtime, ...(await carryOutAll(runtime, open)))
  const wanted = referencedValues(runtime.core)
  for (const value of runtime.blocks.keys()) if (!wanted.has(value)) runtime.blocks.delete(value)
}

/** The application is ahead of the block store: blocks were lost. */
export class StoreBehindError extends DomainError<
  'StoreBehind',
  { application: number; blockStore: number }
> {
  override readonly code = 'StoreBehind'
}

/** The application is behind the first block that is kept: its own state was lost. */
export class BlocksPrunedError extends DomainError<
  'BlocksPruned',
  { application: number; first: number }
> {
  override readonly code = 'BlocksPruned'
}

/** A stored block cannot be found. */
export class MissingBlockError extends DomainError<'MissingBlock', { height: number }> {
  override readonly code = 'MissingBlock'
}

async function load({ blockStore }: EngineOptions, height: number): Promise<StoredBlock> {
  const stored = await blockStore.load(height)
  if (!stored) throw new MissingBlockError('block store has a gap', { height })
  return stored
}

async function executeAgain({ application }: EngineOptions, stored: StoredBlock): Promise<void> {
  const { block, hash } = openBlock(stored.block)
  const { appHash } = await application.finalizeBlock({ ...toProposed(block), hash })
  requireSame(appHash, stored)
  await application.commit()
}

/** @throws AppHashDivergedError */
function requireSame(ours: Hex, { height, appHash: decided }: StoredBlock): void {
  if (ours !== decided)
    throw new AppHashDivergedError('the state after a stored block is another than was decided', {
      ...{ height, ours, decided },
    })
}

function toTip({ height, block, commit, appHash, validators, schedule }: StoredBlock): Tip {
  const sealed = openBlock(block)
  const { timeMs } = sealed.block.header
  return { height, hash: sealed.hash, timeMs, appHash, commit, validators, schedule }
}

function heightOf(record: LogRecord): number {
  switch (record.kind) {
    case 'proposal':
      return record.proposal.height
    case 'vote':
      return record.vote.height
    case 'timeout':
      return record.timeout.height
    default:
      return record.height
  }
}

/** The input that a record stands for; own messages tell the sign guard what was signed. */
async function toInput(runtime: Runtime, record: LogRecord): Promise<JournalInput | undefined> {
  const { networkId, signer } = runtime.options
  switch (record.kind) {
    case 'proposal': {
      const { proposal, block } = record
      runtime.blocks.set(proposal.value, openBlock(block))
      const { height, round, proposer } = proposal
      if (proposer === runtime.self)
        await signer.restore(
          { height, round, step: 'proposal' },
          proposalSignBytes(networkId, proposal),
        )
      return { type: 'proposal', proposal }
    }
    case 'vote': {
      const { vote } = record
      if (vote.validator === runtime.self)
        await signer.restore(vote, voteSignBytes(networkId, vote))
      return { type: 'vote', vote }
    }
    case 'validity': {
      const { kind: _, ...rest } = record
      return { type: 'validity', ...rest }
    }
    case 'timeout':
      return { type: 'timeout', timeout: record.timeout }
    default:
      return undefined
  }
}
