import { DomainError, type Hex } from '#primitives'
import { createCore } from '../core/index.ts'
import { blockHash, openBlock, type SealedBlock } from './block.ts'
import { isGoodCommit } from './checks.ts'
import { finalize } from './deciding.ts'
import { faultOf } from './judging.ts'
import {
  type FetchedBlock,
  fetchedBytes,
  type Message,
  maxFetchedBlocks,
  maxValues,
} from './messages.ts'
import { tryOpen } from './part-exchange.ts'
import { sizeOfParts } from './parts.ts'
import { AppHashDivergedError, type Runtime, refuse, sendTo, workingHeight } from './runtime.ts'
import type { StoredBlock } from './stored-block.ts'

/**
 * Asks for decided blocks: at most once a gossip interval, so that many peers' hints cause one
 * answer.
 */
export function askForBlocks(runtime: Runtime, from: Hex): void {
  const nowMs = runtime.options.clock.nowMs()
  if (nowMs < runtime.fetchAgainMs) return
  runtime.fetchAgainMs = nowMs + runtime.timing.gossipMs
  fetch(runtime, from)
}

function fetch(runtime: Runtime, from: Hex): void {
  const held = [...runtime.blocks.keys()].slice(0, maxValues)
  sendTo(runtime, from, { kind: 'fetch', height: workingHeight(runtime), held })
}

/** Answers with decided blocks, leaving out the bodies that the other one has. */
export async function onFetch(
  runtime: Runtime,
  from: Hex,
  { height, held }: Extract<Message, { kind: 'fetch' }>,
): Promise<void> {
  const first = runtime.options.blockStore.first()
  if (height < first) return sendTo(runtime, from, { kind: 'pruned', first })
  const blocks: FetchedBlock[] = []
  let bytes = 0
  while (blocks.length < maxFetchedBlocks && bytes < fetchedBytes) {
    const stored = await tryLoad(runtime, height + blocks.length)
    if (!stored) break
    const { block, parts, hash } = openBlock(stored.block)
    const sent = held.includes(hash) ? undefined : parts
    blocks.push({ header: block.header, parts: sent, commit: stored.commit })
    bytes += sizeOfParts(sent ?? [])
  }
  if (blocks.length > 0) sendTo(runtime, from, { kind: 'blocks', blocks })
}

/** A damaged block is no reason to stop: this validator is past it, and other peers have it. */
async function tryLoad({ options }: Runtime, height: number): Promise<StoredBlock | undefined> {
  try {
    return await options.blockStore.load(height)
  } catch (error) {
    options.logger.error('a block that a peer asks for cannot be read', { height, error })
    return undefined
  }
}

/**
 * A peer keeps the next block no more. One of them may lie, and another may still have it: where
 * peers with more than 2/3 of the power say so, this validator ends, and says why.
 *
 * @throws PeersPrunedError
 */
export function onPruned(runtime: Runtime, from: Hex, first: number): void {
  const { tip, pruned, options } = runtime
  const height = workingHeight(runtime)
  pruned.set(from, first)
  const { members, totalPower } = tip.schedule.current
  const power = members
    .filter(({ consensusKey }) => (pruned.get(consensusKey) ?? 0) > height)
    .reduce((sum, member) => sum + member.power, 0n)
  if (3n * power > 2n * totalPower)
    throw new PeersPrunedError(
      `peers with over 2/3 of the power keep no block ${height} any more, and ` +
        `${options.blockStore.name} ends before it: restore the folder from a newer backup`,
      { height, first },
    )
}

/** Commits fetched blocks one after the other, and asks for more. */
export async function onBlocks(
  runtime: Runtime,
  from: Hex,
  blocks: readonly FetchedBlock[],
): Promise<void> {
  let isAhead = false
  for (const fetched of blocks) {
    if (fetched.header.height !== workingHeight(runtime)) continue
    const sealed = openFetched(runtime, from, fetched)
    if (!sealed) return
    if (!(await applyFetched(runtime, from, sealed, fetched.commit))) return
    isAhead = true
  }
  if (isAhead) fetch(runtime, from)
}

/** The block that was sent, or the one that is held where its parts were left out. */
function openFetched(
  runtime: Runtime,
  from: Hex,
  { header, parts }: FetchedBlock,
): SealedBlock | undefined {
  if (parts) return tryOpen(runtime, from, header, parts)
  const held = runtime.blocks.get(blockHash(header))
  if (!held) refuse(runtime, 'BodyMissing', from)
  return held
}

/** A decided block counts by its signatures alone; one that does not fit is a catastrophe. */
async function applyFetched(
  runtime: Runtime,
  from: Hex,
  sealed: SealedBlock,
  commit: FetchedBlock['commit'],
): Promise<boolean> {
  const { options, verify, tip } = runtime
  const height = workingHeight(runtime)
  const checking = { networkId: options.networkId, verify }
  if (!isGoodCommit(checking, tip.schedule.current, commit, height, sealed.hash)) {
    refuse(runtime, 'BadCommit', from)
    return false
  }
  const fault = await faultOf(runtime, sealed.block)
  const { appHash } = sealed.block.header
  if (fault === 'WrongAppHash')
    throw new AppHashDivergedError('the network decided another state than this validator has', {
      height: tip.height,
      ours: tip.appHash,
      decided: appHash,
    })
  if (fault) throw new DecidedInvalidError('the network decided a bad block', { height, fault })
  await finalize(runtime, sealed, commit)
  runtime.counters.fetched++
  const { future } = runtime.core
  runtime.core = { ...createCore(runtime.self, height, runtime.tip.schedule), future }
  return true
}

/** This validator lags behind what its peers keep. */
export class PeersPrunedError extends DomainError<
  'PeersPruned',
  { height: number; first: number }
> {
  override readonly code = 'PeersPruned'
}

/** More than 2/3 signed a block that cannot follow the chain. */
export class DecidedInvalidError extends DomainError<
  'DecidedInvalid',
  { height: number; fault: string }
> {
  override readonly code = 'DecidedInvalid'
}
