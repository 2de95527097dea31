import { type Hex, unreachable } from '#primitives'
import { catchUp, type Proposal, type Vote, wantsVote } from '../core/index.ts'
import { isSignedProposal, isSignedVote } from './checks.ts'
import { feed, sendProposal } from './consensus.ts'
import { askForBlocks, onBlocks, onFetch, onPruned } from './fetching.ts'
import { type Message, maxValues, maxVotes } from './messages.ts'
import { join, pace } from './pacing.ts'
import { onPart, onProposal, onWant } from './part-exchange.ts'
import { type Runtime, refuse, sendTo, sendToAll, workingHeight } from './runtime.ts'
import { proposalSignBytes, voteSignBytes } from './sign-bytes.ts'

/** Handles one message of a peer. Nothing in it is trusted but what a signature covers. */
export async function receive(runtime: Runtime, from: Hex, message: Message): Promise<void> {
  switch (message.kind) {
    case 'proposal':
      return runtime.isHeld
        ? noteOwnProposal(runtime, message.proposal)
        : onProposal(runtime, from, message)
    case 'votes':
      for (const vote of message.votes)
        await (runtime.isHeld ? noteOwnVote(runtime, vote) : onVote(runtime, from, vote))
      return
    case 'wake':
      runtime.woken ||= message.height === workingHeight(runtime)
      return pace(runtime)
    case 'status':
      return onStatus(runtime, from, message)
    case 'want':
      return onWant(runtime, from, message)
    case 'part':
      return onPart(runtime, from, message)
    case 'fetch':
      return onFetch(runtime, from, message)
    case 'blocks':
      return onBlocks(runtime, from, message.blocks)
    case 'pruned':
      return onPruned(runtime, from, message.first)
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
  const { isHeld } = runtime
  const asks = isHeld && to === undefined
  const status = { kind: 'status', height, round, values, asks, isHeld } as const
  if (to === undefined) sendToAll(runtime, status)
  else sendTo(runtime, to, status)
}

async function onVote(runtime: Runtime, from: Hex, vote: Vote): Promise<void> {
  const { core, options, verify } = runtime
  if (vote.height > workingHeight(runtime) + 1) askForBlocks(runtime, from)
  if (vote.height < core.machine.height) return
  const { current, next } = core.schedule
  if (!current.positions.has(vote.validator) && !next.positions.has(vote.validator)) {
    refuse(runtime, 'UnknownValidator', from)
    return
  }
  if (!wantsVote(core, vote)) return
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

function onStatus(runtime: Runtime, from: Hex, status: Extract<Message, { kind: 'status' }>): void {
  const height = workingHeight(runtime)
  runtime.options.hold?.heard(from, status.height - 1, status.isHeld)
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
