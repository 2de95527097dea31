import { DomainError, type Hex, unreachable } from '#primitives'
import {
  catchUp,
  createCore,
  knowsVote,
  type Proposal,
  proposerOf,
  referencedValues,
  type Vote,
  wants,
} from '../core/index.ts'
import { openBlock, type SealedBlock } from './block.ts'
import { isGoodCommit, isSignedProposal, isSignedVote } from './checks.ts'
import { feed, sendProposal } from './consensus.ts'
import { finalize } from './deciding.ts'
import { faultOf } from './judging.ts'
import {
  type FetchedBlock,
  fetchedBytes,
  type Message,
  maxFetchedBlocks,
  maxValues,
  maxVotes,
} from './messages.ts'
import { enter, pace } from './pacing.ts'
import {
  AppHashDivergedError,
  type Runtime,
  refuse,
  sendTo,
  sendToAll,
  workingHeight,
} from './runtime.ts'
import { proposalSignBytes, voteSignBytes } from './sign-bytes.ts'

/** Handles one message of a peer. Nothing in it is trusted but what a signature covers. */
export async function receive(runtime: Runtime, from: Hex, message: Message): Promise<void> {
  switch (message.kind) {
    case 'proposal':
      return runtime.isHeld
        ? noteOwnProposal(runtime, message.proposal)
        : onProposal(runtime, from, message.proposal, message.block)
    case 'votes':
      for (const vote of message.votes)
        await (runtime.isHeld ? noteOwnVote(runtime, vote) : onVote(runtime, from, vote))
      return
    case 'wake':
      runtime.woken ||= message.height === workingHeight(runtime)
      return pace(runtime)
    case 'status':
      return onStatus(runtime, from, message)
    case 'fetch':
      return onFetch(runtime, from, message.height)
    case 'blocks':
      return onBlocks(runtime, from, message.blocks)
    case 'transaction':
      return
    default:
      return unreachable(message)
  }
}

/**
 * Tells peers where this validator is: those who have more answer with it. One that is held asks
 * all of them; an answer asks nothing, or two of them would talk for ever.
 */
export function sayStatus(runtime: Runtime, to?: Hex): void {
  const values = [...runtime.blocks.keys()].slice(0, maxValues)
  const { machine } = runtime.core
  const height = workingHeight(runtime)
  const round = runtime.phase === 'running' ? Math.max(0, machine.round) : 0
  const asks = runtime.isHeld && to === undefined
  const status = { kind: 'status', height, round, values, asks } as const
  if (to === undefined) sendToAll(runtime, status)
  else sendTo(runtime, to, status)
}

async function onProposal(runtime: Runtime, from: Hex, proposal: Proposal, bytes: Uint8Array) {
  if (!wants(runtime.core, proposal)) {
    if (isNotProposer(runtime, proposal)) refuse(runtime, 'NotProposer', from)
    return
  }
  const { networkId } = runtime.options
  if (!isSignedProposal({ networkId, verify: runtime.verify }, proposal)) {
    refuse(runtime, 'BadSignature', from)
    return
  }
  const sealed = tryOpen(runtime, from, bytes)
  if (!sealed) return
  if (sealed.hash !== proposal.value) {
    refuse(runtime, 'BlockMismatch', from)
    return
  }
  runtime.blocks.set(sealed.hash, sealed)
  await join(runtime, proposal.height)
  await feed(runtime, { type: 'proposal', proposal })
  const wanted = referencedValues(runtime.core)
  for (const value of runtime.blocks.keys()) if (!wanted.has(value)) runtime.blocks.delete(value)
}

async function onVote(runtime: Runtime, from: Hex, vote: Vote): Promise<void> {
  const { core, options, verify } = runtime
  if (vote.height > workingHeight(runtime) + 1) askForBlocks(runtime, from)
  if (vote.height < core.machine.height || knowsVote(core, vote)) return
  const { current, next } = core.schedule
  if (!current.positions.has(vote.validator) && !next.positions.has(vote.validator)) {
    refuse(runtime, 'UnknownValidator', from)
    return
  }
  if (!isSignedVote({ networkId: options.networkId, verify }, vote)) {
    refuse(runtime, 'BadSignature', from)
    return
  }
  await join(runtime, vote.height)
  await feed(runtime, { type: 'vote', vote })
}

/**
 * What peers relay of this validator's own, it has signed before its files were lost: its guard
 * learns of it.
 */
async function noteOwnVote({ options, self, verify }: Runtime, vote: Vote): Promise<void> {
  const { networkId, signer } = options
  if (vote.validator === self && isSignedVote({ networkId, verify }, vote))
    await signer.restore(vote, voteSignBytes(networkId, vote))
}

async function noteOwnProposal(runtime: Runtime, proposal: Proposal): Promise<void> {
  const { options, self, verify } = runtime
  const { networkId, signer } = options
  const { height, round, proposer } = proposal
  if (proposer === self && isSignedProposal({ networkId, verify }, proposal))
    await signer.restore(
      { height, round, step: 'proposal' },
      proposalSignBytes(networkId, proposal),
    )
}

/** Someone is at the next height already: so is this validator now. */
async function join(runtime: Runtime, height: number): Promise<void> {
  if (runtime.phase === 'waiting' && height === workingHeight(runtime)) await enter(runtime)
}

function onStatus(runtime: Runtime, from: Hex, status: Extract<Message, { kind: 'status' }>): void {
  const height = workingHeight(runtime)
  runtime.options.hold?.heard(from, status.height - 1)
  if (status.height > height) askForBlocks(runtime, from)
  if (status.height < height || status.asks) sayStatus(runtime, from)
  if (status.height !== height) return
  if (runtime.phase === 'running') relay(runtime, from, status.values)
}

/** All that a peer at this height may lack, whoever signed it. */
function relay(runtime: Runtime, to: Hex, held: readonly Hex[]): void {
  const { proposals, votes } = catchUp(runtime.core)
  for (const proposal of proposals)
    if (!held.includes(proposal.value)) sendProposal(runtime, proposal, to)
  for (let i = 0; i < votes.length; i += maxVotes)
    sendTo(runtime, to, { kind: 'votes', votes: votes.slice(i, i + maxVotes) })
}

/** At most once a gossip interval, so that many peers' hints cause one answer. */
function askForBlocks(runtime: Runtime, from: Hex): void {
  const nowMs = runtime.options.clock.nowMs()
  if (nowMs < runtime.fetchAgainMs) return
  runtime.fetchAgainMs = nowMs + runtime.timing.gossipMs
  sendTo(runtime, from, { kind: 'fetch', height: workingHeight(runtime) })
}

async function onFetch(runtime: Runtime, from: Hex, height: number): Promise<void> {
  const blocks: FetchedBlock[] = []
  let bytes = 0
  while (blocks.length < maxFetchedBlocks && bytes < fetchedBytes) {
    const stored = await runtime.options.blockStore.load(height + blocks.length)
    if (!stored) break
    blocks.push({ block: stored.block, commit: stored.commit })
    bytes += stored.block.length
  }
  if (blocks.length > 0) sendTo(runtime, from, { kind: 'blocks', blocks })
}

async function onBlocks(runtime: Runtime, from: Hex, blocks: readonly FetchedBlock[]) {
  let isAhead = false
  for (const fetched of blocks) {
    const sealed = tryOpen(runtime, from, fetched.block)
    if (!sealed) return
    if (sealed.block.header.height !== workingHeight(runtime)) continue
    if (!(await applyFetched(runtime, from, sealed, fetched.commit))) return
    isAhead = true
  }
  if (isAhead) sendTo(runtime, from, { kind: 'fetch', height: workingHeight(runtime) })
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

/** More than 2/3 signed a block that cannot follow the chain. */
export class DecidedInvalidError extends DomainError<
  'DecidedInvalid',
  { height: number; fault: string }
> {
  override readonly code = 'DecidedInvalid'
}

function tryOpen(runtime: Runtime, from: Hex, bytes: Uint8Array): SealedBlock | undefined {
  try {
    return openBlock(bytes)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    refuse(runtime, error.code, from)
    return undefined
  }
}

/** Only for rounds near the own one: the rotation costs a step a round. */
function isNotProposer({ core }: Runtime, { height, round, proposer }: Proposal): boolean {
  const { machine, schedule } = core
  if (height !== machine.height || round > machine.round + 16) return false
  return proposerOf(schedule.current, round) !== proposer
}
