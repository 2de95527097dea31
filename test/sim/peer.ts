import { catchUp, createCore, replayJournal, type Vote, wantsVote } from '#consensus'
import { type Hex, isMoreThanTwoThirds, unreachable } from '#primitives'
import { hears, isAnswering } from './adversary.ts'
import type { Stored } from './block.ts'
import { carryOutAll, enter, feed, finalize } from './consensus.ts'
import { CrashedError, survive, tipName } from './disk.ts'
import { broadcast, send } from './network.ts'
import { join, onPart, onProposal, onWant, watchParts, workingHeight } from './parts.ts'
import { isHealed, later, type Message, note, type Peer, scheduleAt, type World } from './world.ts'

/** Without progress for so long, a validator says where it is. */
const gossipMs = 100

/** Lets a validator do something, and crash over it. */
export function act(world: World, peer: Peer, run: () => void): void {
  if (!peer.isUp) return
  try {
    run()
  } catch (error) {
    if (!(error instanceof CrashedError)) throw error
    crash(world, peer)
  }
}

/** Begins: the first time, and after each crash with what the disk has. */
export function start(world: World, peer: Peer): void {
  peer.isUp = true
  const life = ++peer.life
  act(world, peer, () => recover(world, peer))
  const gossip = () => {
    if (peer.life !== life) return
    act(world, peer, () => {
      if (peer.isRunning && world.nowMs - peer.movedMs >= gossipMs) sayStatus(world, peer)
      watchParts(world, peer)
    })
    later(world, gossipMs, gossip)
  }
  later(world, 1 + world.chance.below(gossipMs), gossip)
}

function crash(world: World, peer: Peer): void {
  const { chance, plan, nowMs, counts } = world
  counts.crashes++
  note(world, peer.id, 'crash', peer.disk.store.length, peer.disk.log.length)
  peer.isUp = false
  peer.life++
  survive(world, peer)
  peer.held = new Set()
  peer.assemblies.clear()
  peer.evidence.clear()
  const downMs = Math.min(1 + chance.below(800), Math.max(1, plan.healMs - nowMs))
  if (peer.disk.isRefused) return
  later(world, downMs, () => {
    note(world, peer.id, 'start', peer.disk.store.length, peer.disk.log.length)
    start(world, peer)
  })
}

function recover(world: World, peer: Peer): void {
  const { disk } = peer
  const height = disk.store.length
  const schedule = scheduleAt(world, height + 1)
  peer.core = createCore(peer.key, height, schedule)
  peer.isRunning = disk.log.length > 0
  peer.enteredMs = world.nowMs
  peer.movedMs = world.nowMs
  peer.fetchAgainMs = 0
  world.application?.onRestart(world, peer)
  if (!peer.isRunning) {
    enter(world, peer)
    return
  }
  const { state, open } = replayJournal(peer.core, schedule, disk.log)
  for (const input of disk.log) if (input.type === 'proposal') peer.held.add(input.proposal.value)
  peer.core = state
  feed(world, peer, ...carryOutAll(world, peer, open))
}

/** Handles one message. Nothing in it is trusted but what a signature covers. */
export function receive(world: World, peer: Peer, from: Peer, message: Message): void {
  if (!peer.isUp) return
  hears(peer, message)
  act(world, peer, () => take(world, peer, from, message))
}

function take(world: World, peer: Peer, from: Peer, message: Message): void {
  switch (message.kind) {
    case 'proposal':
      onProposal(world, peer, from, message.proposal)
      break
    case 'want':
      onWant(world, peer, from, message.value, message.indices)
      break
    case 'part':
      onPart(world, peer, from, message.value, message.index, message.part)
      break
    case 'vote':
      onVote(world, peer, from, message.vote)
      break
    case 'votes':
      for (const vote of message.votes) onVote(world, peer, from, vote)
      break
    case 'status':
      onStatus(world, peer, from, message.height, message.held)
      break
    case 'fetch':
      onFetch(world, peer, from, message.height)
      break
    case 'blocks':
      onBlocks(world, peer, from, message.blocks)
      break
    case 'transaction':
      world.application?.hears(peer, message.transaction)
      break
    default:
      unreachable(message)
  }
}

function sayStatus(world: World, peer: Peer, to?: Peer): void {
  const status: Message = { kind: 'status', height: workingHeight(peer), held: [...peer.held] }
  if (peer.fault === 'silent') return
  if (to) send(world, peer, to, status)
  else broadcast(world, peer, status)
}

function onVote(world: World, peer: Peer, from: Peer, vote: Vote): void {
  const { core } = peer
  if (vote.height > workingHeight(peer) + 1) askForBlocks(world, peer, from)
  if (!wantsVote(core, vote)) return
  const { verifies, keepsConflicts } = world.plan.protections
  if (verifies && !world.signatures.isSignedVote(vote)) return
  if (!keepsConflicts && conflicts(peer, vote)) return
  join(world, peer, vote.height)
  feed(world, peer, { type: 'vote', vote })
}

/** Whether a vote is not the first of its slot: for the control that keeps no others. */
function conflicts({ firstVotes }: Peer, vote: Vote): boolean {
  const slot = `${vote.validator} ${vote.height} ${vote.round} ${vote.step}`
  if (!firstVotes.has(slot)) firstVotes.set(slot, vote.value)
  return firstVotes.get(slot) !== vote.value
}

function onStatus(world: World, peer: Peer, from: Peer, height: number, held: readonly Hex[]) {
  const own = workingHeight(peer)
  if (height > own) askForBlocks(world, peer, from)
  else if (!isAnswering(peer)) return
  else if (height < own) sayStatus(world, peer, from)
  else if (peer.isRunning) relay(world, peer, from, held)
}

/** All that a peer at this height may lack, whoever signed it. */
function relay(world: World, peer: Peer, to: Peer, held: readonly Hex[]): void {
  const { proposals, votes } = catchUp(peer.core)
  const { relays } = world.plan.protections
  const isSaid = (key: Hex) => relays || key === peer.key
  for (const proposal of proposals)
    if (isSaid(proposal.proposer) && !held.includes(proposal.value))
      send(world, peer, to, { kind: 'proposal', proposal })
  const said = votes.filter(({ validator }) => isSaid(validator))
  if (said.length > 0) send(world, peer, to, { kind: 'votes', votes: said })
}

/** An amnesiac stays where it is for as long as it can do harm there. */
function askForBlocks(world: World, peer: Peer, from: Peer): void {
  if (peer.fault === 'amnesiac' && !isHealed(world)) return
  if (world.nowMs < peer.fetchAgainMs) return
  peer.fetchAgainMs = world.nowMs + gossipMs
  send(world, peer, from, { kind: 'fetch', height: workingHeight(peer) })
}

/** Most blocks in one answer. */
const fetchedBlocks = 32

function onFetch(world: World, peer: Peer, from: Peer, height: number): void {
  const blocks = peer.disk.store.slice(height - 1, height - 1 + fetchedBlocks)
  if (blocks.length > 0 && isAnswering(peer)) send(world, peer, from, { kind: 'blocks', blocks })
}

function onBlocks(world: World, peer: Peer, from: Peer, blocks: readonly Stored[]): void {
  let isAhead = false
  for (const stored of blocks) {
    if (stored.block.height !== workingHeight(peer)) continue
    if (!isGoodCommit(world, peer, stored)) return
    const { future } = peer.core
    finalize(world, peer, stored)
    const height = peer.disk.store.length
    peer.core = { ...createCore(peer.key, height, scheduleAt(world, height + 1)), future }
    isAhead = true
  }
  if (isAhead) send(world, peer, from, { kind: 'fetch', height: workingHeight(peer) })
}

function isGoodCommit(world: World, peer: Peer, { block, commit }: Stored): boolean {
  const { current } = scheduleAt(world, workingHeight(peer))
  const counted = new Set<Hex>()
  let power = 0n
  for (const vote of commit) {
    const position = current.positions.get(vote.validator)
    if (position === undefined || counted.has(vote.validator)) return false
    if (vote.step !== 'precommit' || vote.height !== block.height) return false
    if (vote.value !== block.name || vote.round !== commit[0]?.round) return false
    if (world.plan.protections.verifies && !world.signatures.isSignedVote(vote)) return false
    counted.add(vote.validator)
    power += current.members[position]?.power ?? 0n
  }
  const parent = tipName(peer.disk) ?? block.parent
  return block.parent === parent && isMoreThanTwoThirds(power, current.totalPower)
}
