import {
  type Assembly,
  addPart,
  announce,
  isAskedFor,
  look,
  nextWant,
  type Proposal,
  wants,
} from '#consensus'
import type { Hex } from '#primitives'
import { partsToSend } from './adversary.ts'
import { partsOf } from './block.ts'
import { enter, feed } from './consensus.ts'
import { send } from './network.ts'
import type { Peer, World } from './world.ts'

/** The height that is being decided, or will be next. */
export const workingHeight = ({ disk }: Peer): number => disk.store.length + 1

/** Someone is at the next height already: so is this validator now. */
export function join(world: World, peer: Peer, height: number): void {
  if (!peer.isRunning && height === workingHeight(peer)) enter(world, peer)
}

/** A proposal counts once its block is at hand, as in the embedded engine. */
export function onProposal(world: World, peer: Peer, from: Peer, proposal: Proposal): void {
  if (!wants(peer.core, proposal)) return
  const { verifies } = world.plan.protections
  if (verifies && !world.signatures.isSignedProposal(proposal)) return
  join(world, peer, proposal.height)
  const block = world.blocks.get(proposal.value)
  if (!block?.isBig || peer.held.has(proposal.value)) {
    complete(world, peer, proposal.value, [proposal])
    return
  }
  const names = partsOf(block)
  const announcement = { proposal, header: undefined, names, from: from.key }
  const assembly = announce(peer.assemblies, announcement, (one) => isAskedFor(peer.core, one))
  if (assembly) ask(world, peer, assembly)
}

/** Looks that the parts of all blocks that wait come in. */
export function watchParts(world: World, peer: Peer): void {
  for (const assembly of peer.assemblies.values()) {
    look(assembly)
    ask(world, peer, assembly)
  }
}

function ask(world: World, peer: Peer, assembly: Assembly<undefined, Hex>): void {
  const want = nextWant(assembly)
  const to = world.peers[Number(want?.to)]
  if (want && to) send(world, peer, to, { kind: 'want', value: want.value, indices: want.indices })
}

/** Sends what is asked for, or what an adversary makes of it. */
export function onWant(
  world: World,
  peer: Peer,
  from: Peer,
  value: Hex,
  indices: readonly number[],
): void {
  const block = world.blocks.get(value)
  if (!block || (peer.isHonest && !peer.held.has(value))) return
  for (const { index, part } of partsToSend(world, peer, partsOf(block), indices))
    send(world, peer, from, { kind: 'part', value, index, part })
}

/** Takes a part in; the last one makes the block whole. */
export function onPart(
  world: World,
  peer: Peer,
  from: Peer,
  value: Hex,
  index: number,
  part: Hex,
): void {
  const assembly = peer.assemblies.get(value)
  if (!assembly) return
  if (addPart(assembly, from.key, index, part, (name) => name) === 'bad') ask(world, peer, assembly)
  if (assembly.missing > 0) return
  peer.assemblies.delete(value)
  complete(world, peer, value, [...assembly.proposals.values()])
}

function complete(world: World, peer: Peer, value: Hex, proposals: readonly Proposal[]): void {
  peer.held.add(value)
  for (const proposal of proposals)
    if (wants(peer.core, proposal)) feed(world, peer, { type: 'proposal', proposal })
}
