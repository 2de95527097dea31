import { mostFaulty } from './plan.ts'
import { isHealed, later, type Message, note, type Peer, scheduleAt, type World } from './world.ts'

/** Longest way of a message once the network is well. */
const wellMs = 20

/** Sends to one peer: late, twice, never, or in another order, as the plan has it. */
export function send(world: World, from: Peer, to: Peer, message: Message): void {
  const { chance, plan, counts } = world
  counts.messages++
  if (message.kind === 'part') counts.parts++
  const isWell = isHealed(world)
  if (!isWell && isLost(world, from, to, message)) {
    counts.lost++
    return
  }
  const longest = isWell ? Math.min(wellMs, plan.delayMs) : plan.delayMs
  const copies = !isWell && chance.hits(plan.duplicatePermille) ? 2 : 1
  for (let copy = 0; copy < copies; copy++)
    later(world, 1 + chance.below(longest), () => {
      note(world, to.id, message.kind, from.id, copy)
      world.receive(world, to, from, message)
    })
}

/** Sends to everybody else. */
export function broadcast(world: World, from: Peer, message: Message): void {
  for (const to of world.peers) if (to !== from) send(world, from, to, message)
}

function isLost(world: World, from: Peer, to: Peer, message: Message): boolean {
  const { plan, sides, chance } = world
  if (sides[from.id] !== sides[to.id] && !isBridge(world, from) && !isBridge(world, to)) return true
  if (plan.partitions === 'leader' && isKeptBack(world, from, to, message)) return true
  return chance.hits(plan.dropPermille)
}

/**
 * Lets the first proposer of a height decide alone: its precommit and all it says later are lost,
 * and so many as the algorithm bears do not see its proposal and make the others wait in vain.
 */
function isKeptBack(world: World, from: Peer, to: Peer, message: Message): boolean {
  const { size } = world.plan
  const { current } = scheduleAt(world, to.disk.store.length + 1)
  const leader = Number(current.proposer)
  const isBehind = (to.id - leader + size) % size <= mostFaulty(size)
  if (message.kind === 'proposal') return message.proposal.round === 0 && isBehind
  const isPrevote = message.kind === 'vote' && message.vote.step === 'prevote'
  return from.id === leader && !isPrevote
}

/** With the correct ones in halves, the adversary's network is whole. */
const isBridge = ({ plan }: World, peer: Peer): boolean =>
  plan.partitions === 'halves' && !peer.isHonest

/** The half that a correct validator is in: each has as many of them. */
export const halfOf = ({ plan }: World, { id }: Peer): number =>
  Math.abs(id - plan.faults.length) % 2

/** Sets up the plan's partitions. */
export function planPartitions(world: World): void {
  const { plan } = world
  if (plan.partitions === 'halves') world.sides = world.peers.map((peer) => halfOf(world, peer))
  else if (plan.partitions === 'random') later(world, world.chance.below(300), () => part(world))
}

function part(world: World): void {
  if (isHealed(world)) return
  const { chance, peers } = world
  const groups = chance.of([1, 2, 2, 3])
  world.sides = peers.map(() => chance.below(groups))
  later(world, 50 + chance.below(500), () => part(world))
}
