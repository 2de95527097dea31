import type { Output, Vote } from '#consensus'
import { type Hex, isMoreThanTwoThirds } from '#primitives'
import { type Block, maxAheadMs } from './block.ts'
import { broadcast, halfOf, send } from './network.ts'
import { isHealed, later, type Message, nextName, type Peer, type World } from './world.ts'

type Own = Extract<Message, { kind: 'proposal' | 'vote' }>

/** Sends an own message: a correct validator to all, an adversary as suits it. */
export function say(world: World, peer: Peer, message: Own): void {
  const { chance, peers } = world
  const others = peers.filter((to) => to !== peer)
  switch (peer.fault) {
    case 'silent':
      return
    case 'equivocator':
      for (const to of others) send(world, peer, to, split(world, peer, message, to))
      return
    case 'withholder': {
      const share = message.kind === 'proposal' ? 300 : 600
      for (const to of others) if (chance.hits(share)) send(world, peer, to, message)
      return
    }
    case 'amnesiac':
      for (const to of others) if (isShown(world, message, to)) send(world, peer, to, message)
      return
    case 'reviver':
      broadcast(world, peer, message.kind === 'proposal' ? revived(peer, message) : message)
      return
    case 'forger':
      broadcast(world, peer, message)
      forge(world, peer, message)
      return
    default:
      broadcast(world, peer, message)
  }
}

/** Whether this adversary helps those who lag. */
export const isAnswering = ({ fault }: Peer): boolean =>
  fault === undefined || !['equivocator', 'silent', 'withholder', 'amnesiac'].includes(fault)

/** Share of asked parts, in thousandths, that a withholder sends. */
const sentPermille = 300

/** What a validator answers who is asked for parts of a block. */
export function partsToSend(
  { chance }: World,
  { fault }: Peer,
  names: readonly Hex[],
  indices: readonly number[],
): readonly { readonly index: number; readonly part: Hex }[] {
  if (fault === 'silent') return []
  return indices.flatMap((index) => {
    const name = names[index]
    if (name === undefined || (fault === 'withholder' && !chance.hits(sentPermille))) return []
    const isWrong = fault === 'invalid' && chance.hits(500)
    return [{ index, part: isWrong ? junk(index) : name }]
  })
}

/** Whether this validator forgets its locks with every round. */
export const forgetsLocks = ({ plan }: World, { fault }: Peer): boolean =>
  fault === 'amnesiac' || !plan.protections.locks

/** An amnesiac that decided could no longer help another half to decide something else. */
export const refuses = (world: World, { fault }: Peer, outputs: readonly Output[]): boolean =>
  fault === 'amnesiac' && !isHealed(world) && outputs.some(({ type }) => type === 'decide')

/** An own block as the adversary makes it; the equivocator makes two. */
export function tamper(world: World, { fault }: Peer, block: Block): Block {
  const { chance, blocks, twins } = world
  if (fault === 'equivocator') {
    blocks.set(block.name, block)
    const twin = { ...block, name: nextName(world), timeMs: block.timeMs + 1 }
    blocks.set(twin.name, twin)
    twins.set(block.name, twin.name)
    return block
  }
  if (fault !== 'invalid') return block
  const { transactions } = block
  return chance.of([
    ...(transactions.length > 1 ? [{ ...block, transactions: transactions.toReversed() }] : []),
    { ...block, isAcceptable: false },
    { ...block, parent: block.name },
    { ...block, height: block.height + 1 },
    { ...block, timeMs: -1 },
    { ...block, proposer: '0xee' as Hex },
    { ...block, appHash: '0xee' as Hex },
    { ...block, timeMs: block.timeMs + 2 * maxAheadMs },
  ])
}

/** A replayer remembers what it hears, up to so many messages. */
const memory = 300

const replayed: readonly Message['kind'][] = ['proposal', 'vote', 'transaction']

/** What an adversary makes of what it receives. */
export function hears({ fault, heard }: Peer, message: Message): void {
  if (fault !== 'replayer' || !replayed.includes(message.kind)) return
  if (heard.length < memory) heard.push(message)
  else heard[message.kind === 'vote' ? message.vote.round % memory : 0] = message
}

/** Time between two deeds of those who do not wait for an occasion. */
const deedMs = 40

/** Sets those adversaries to work that act by themselves. */
export function planDeeds(world: World): void {
  for (const peer of world.peers) {
    const deed = deeds[peer.fault ?? '']
    if (!deed) continue
    const again = () => {
      deed(world, peer)
      later(world, deedMs, again)
    }
    later(world, world.chance.below(deedMs), again)
  }
}

const deeds: Readonly<Record<string, (world: World, peer: Peer) => void>> = {
  replayer(world, peer) {
    if (peer.heard.length === 0) return
    for (let i = 0; i < 3; i++)
      send(world, peer, world.chance.of(world.peers), world.chance.of(peer.heard))
  },
  liar(world, peer) {
    const { chance, peers } = world
    for (let i = 0; i < 3; i++) send(world, peer, chance.of(peers), lie(world, peer))
  },
}

/** A vote for anything, in any round of about this height. */
function lie({ chance, checker, blocks }: World, peer: Peer): Message {
  const height = checker.chain.length + 1 + chance.of([0, 0, 0, 0, 1, 2, 3])
  const near = Math.max(0, peer.core.machine.round)
  const round = chance.hits(900) ? near + chance.below(4) : chance.below(65_536)
  const values = [undefined, undefined, junk(chance.below(40)), lastNames(blocks.size, 3)]
  const value = chance.of(values.flat())
  const step = chance.of(['prevote', 'precommit'] as const)
  return {
    kind: 'vote',
    vote: peer.signer.vote({ step, height, round, value, validator: peer.key }),
  }
}

const junk = (number: number): Hex => `0xff${number.toString(16)}`

const lastNames = (count: number, most: number): readonly Hex[] =>
  Array.from({ length: Math.min(count, most) }, (_, i): Hex => {
    return `0x${(count - i).toString(16).padStart(2, '0')}`
  })

/**
 * The equivocator shows the twin of its block to the larger half, and is of the other opinion
 * itself: so it first makes them lock the twin, and then keeps back the vote that decides it.
 */
function split(world: World, peer: Peer, message: Own, to: Peer): Message {
  if (to.fault === 'equivocator' || halfOf(world, to) === 1) return message
  if (message.kind === 'proposal') {
    const { proposal } = message
    const twin = world.twins.get(proposal.value)
    if (twin === undefined || proposal.validRound !== -1) return message
    return { kind: 'proposal', proposal: peer.signer.proposal({ ...proposal, value: twin }) }
  }
  const { value } = message.vote
  if (value === undefined) return message
  const other = world.twins.get(value) ?? (world.plan.seed % 2 ? undefined : junk(to.id))
  return { kind: 'vote', vote: peer.signer.vote({ ...message.vote, value: other }) }
}

/** The value of the oldest polka that the adversary has seen, instead of the newest. */
function revived(peer: Peer, message: Extract<Own, { kind: 'proposal' }>): Own {
  const { rounds, schedule } = peer.core
  const { totalPower } = schedule.current
  const { proposal } = message
  for (let validRound = 0; validRound < proposal.round; validRound++)
    for (const { value, power } of rounds.get(validRound)?.prevotes.tallies ?? [])
      if (value !== undefined && isMoreThanTwoThirds(power, totalPower))
        return {
          kind: 'proposal',
          proposal: peer.signer.proposal({ ...proposal, value, validRound }),
        }
  return message
}

/** With the correct ones in halves, an amnesiac proposes to one of them, by turns. */
function isShown(world: World, message: Own, to: Peer): boolean {
  if (message.kind !== 'proposal' || world.plan.partitions !== 'halves') return true
  return !to.isHonest || halfOf(world, to) === message.proposal.round % 2
}

/** Everybody's votes for an own proposal, and a vote of each that contradicts what it will say. */
function forge(world: World, peer: Peer, message: Own): void {
  if (message.kind !== 'proposal') return
  const { height, round, value } = message.proposal
  const signature: Hex = '0xf0'
  for (const { consensusKey: validator } of peer.core.schedule.current.members) {
    const made = { height, round, validator, signature }
    const votes: readonly Vote[] = [
      { ...made, step: 'prevote', value: junk(1) },
      { ...made, step: 'prevote', value },
      { ...made, step: 'precommit', value },
    ]
    broadcast(world, peer, { kind: 'votes', votes })
  }
}
