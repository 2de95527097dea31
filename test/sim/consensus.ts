import {
  apply,
  type Conflict,
  type Input,
  type Output,
  type Proposal,
  type Timeout,
  toJournal,
  type Validity,
  type Vote,
} from '#consensus'
import { unreachable } from '#primitives'
import { forgetsLocks, refuses, say, tamper } from './adversary.ts'
import { type Block, genesisName, maxAheadMs, type Stored } from './block.ts'
import { admit, store, syncLog } from './disk.ts'
import {
  advanceValidators,
  later,
  nextName,
  note,
  type Peer,
  scheduleAt,
  type World,
} from './world.ts'

/** Timers and pace, in virtual milliseconds. */
const timing = { proposeMs: 300, voteMs: 100, growthMs: 50 } as const

/** Most double votes in one block. */
const maxMisbehaviour = 16

/**
 * Gives the core an input and carries out what it asks for, until it asks no more: what the
 * embedded engine does, with the same log, guard and order of durable steps, but at once.
 */
export function feed(world: World, peer: Peer, ...first: readonly Input[]): void {
  const inputs = [...first]
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i] as Input
    if (peer.isHonest) for (const entry of toJournal(peer.core, input)) peer.disk.log.push(entry)
    publishOwn(world, peer, input)
    inputs.push(...carryOutAll(world, peer, advance(world, peer, input)))
  }
}

/** Carries out outputs in order; the answers are inputs for the core. */
export function carryOutAll(world: World, peer: Peer, outputs: readonly Output[]): Input[] {
  const answers: Input[] = []
  for (const output of outputs) {
    const answer = carryOut(world, peer, output)
    if (answer) answers.push(answer)
  }
  return answers
}

/** Enters the next height. */
export function enter(world: World, peer: Peer): void {
  peer.isRunning = true
  peer.enteredMs = world.nowMs
  const height = peer.disk.store.length + 1
  feed(world, peer, { type: 'start', height, schedule: scheduleAt(world, height) })
}

/** Keeps a decided block; the next height is entered a block interval after this one was. */
export function finalize(world: World, peer: Peer, stored: Stored): void {
  const { height, name, misbehaviour } = stored.block
  advanceValidators(world, stored.block)
  store(world, peer, stored)
  note(world, peer.id, 'decide', height, Number.parseInt(name.slice(2), 16))
  peer.isRunning = false
  for (const [value, one] of peer.assemblies)
    if (one.height <= height) peer.assemblies.delete(value)
  peer.held = new Set([...peer.held].filter((held) => heightOf(world, held) > height))
  peer.firstVotes.clear()
  for (const conflict of misbehaviour) {
    peer.included.add(evidenceKey(conflict))
    peer.evidence.delete(evidenceKey(conflict))
  }
  world.application?.onCommit(world, peer, stored.block)
  const { life } = peer
  later(world, Math.max(0, peer.enteredMs + world.plan.blockIntervalMs - world.nowMs), () => {
    const isDue = peer.life === life && !peer.isRunning && peer.disk.store.length === height
    if (isDue) world.act(world, peer, () => enter(world, peer))
  })
}

const heightOf = ({ blocks }: World, name: Block['name']) => blocks.get(name)?.height ?? 0

/** One step of the core. */
function advance(world: World, peer: Peer, input: Input): readonly Output[] {
  const before = peer.core.machine
  const { state, outputs, lines } = apply(peer.core, input)
  if (refuses(world, peer, outputs)) return []
  const { height, round, step } = state.machine
  const isNewRound = height !== before.height || round !== before.round
  peer.core = isNewRound && forgetsLocks(world, peer) ? withoutLocks(state) : state
  for (const line of lines) world.lines.add(line)
  if (isNewRound || step !== before.step) peer.movedMs = world.nowMs
  if (round > world.counts.highestRound) world.counts.highestRound = round
  return outputs
}

const withoutLocks = (core: Peer['core']): Peer['core'] => ({
  ...core,
  machine: {
    ...core.machine,
    ...{ lockedValue: undefined, lockedRound: -1, validValue: undefined, validRound: -1 },
  },
})

function carryOut(world: World, peer: Peer, output: Output): Input | undefined {
  switch (output.type) {
    case 'propose': {
      const { offer } = output
      const slot = { height: offer.height, round: offer.round, step: 'proposal' } as const
      const timeout = { ...slot, step: 'propose' } as const
      if (world.plan.protections.syncsFirst) syncLog(world, peer)
      if (!admit(world, peer, slot, `${offer.value} ${offer.validRound}`))
        return { type: 'timeout', timeout }
      return { type: 'proposal', proposal: peer.signer.proposal(offer) }
    }
    case 'vote': {
      const { ballot } = output
      if (world.plan.protections.syncsFirst) syncLog(world, peer)
      if (!admit(world, peer, ballot, `${ballot.value}`)) return undefined
      return { type: 'vote', vote: peer.signer.vote(ballot) }
    }
    case 'schedule':
      startTimeout(world, peer, output.timeout)
      return undefined
    case 'getValue':
      return { ...output, type: 'value', value: makeBlock(world, peer).name }
    case 'checkValue': {
      const { height, round, value } = output.proposal
      const validity = judge(world, peer, output.proposal)
      return { type: 'validity', height, round, value, validity }
    }
    case 'decide': {
      if (output.height !== peer.disk.store.length + 1) return undefined
      const block = world.blocks.get(output.value)
      if (block) finalize(world, peer, { block, commit: commitOf(world, output) })
      return undefined
    }
    case 'evidence':
      onEvidence(world, peer, output.conflict)
      return undefined
    default:
      return unreachable(output)
  }
}

/** What is stored with a block; for the control, of the first to decide it alone. */
function commitOf({ plan, checker }: World, { height, precommits }: Decide): readonly Vote[] {
  const isFirst = checker.chain[height - 1] === undefined
  return plan.protections.keepsCommits || isFirst ? precommits : []
}

type Decide = Extract<Output, { type: 'decide' }>

/**
 * Own proposals leave only once the log holds them durably, as their blocks cannot be made again;
 * own votes follow from what it holds.
 */
function publishOwn(world: World, peer: Peer, input: Input): void {
  if (input.type === 'vote' && input.vote.validator === peer.key) {
    if (!world.plan.protections.syncsFirst) syncLog(world, peer)
    const { height, round } = input.vote
    note(world, peer.id, input.vote.step, height, round)
    say(world, peer, { kind: 'vote', vote: input.vote })
  } else if (input.type === 'proposal' && input.proposal.proposer === peer.key) {
    syncLog(world, peer)
    const { height, round, value } = input.proposal
    note(world, peer.id, 'offer', height, round)
    peer.held.add(value)
    say(world, peer, { kind: 'proposal', proposal: input.proposal })
  }
}

/** The proposer may start a block interval later than whoever waits for it. */
function startTimeout(world: World, peer: Peer, timeout: Timeout): void {
  const { proposeMs, voteMs, growthMs } = timing
  const { blockIntervalMs } = world.plan
  const baseMs = timeout.step === 'propose' ? proposeMs + blockIntervalMs : voteMs
  const { life } = peer
  later(world, baseMs + growthMs * timeout.round, () => {
    const { height, round } = peer.core.machine
    if (peer.life !== life || timeout.height !== height || timeout.round !== round) return
    note(world, peer.id, 'timeout', height, round)
    world.act(world, peer, () => feed(world, peer, { type: 'timeout', timeout }))
  })
}

function makeBlock(world: World, peer: Peer): Block {
  const { application } = world
  const last = peer.disk.store.at(-1)?.block
  const parent = last?.name ?? genesisName
  const height = peer.disk.store.length + 1
  const block = tamper(world, peer, {
    ...{ name: nextName(world), height, parent },
    transactions: application?.propose(world, peer, height) ?? [],
    appHash: application?.appHash(parent) ?? genesisName,
    proposer: peer.key,
    timeMs: Math.max(world.nowMs + peer.skewMs, (last?.timeMs ?? -1) + 1),
    ...{ isAcceptable: true, isBig: world.chance.hits(world.plan.bigPermille) },
    misbehaviour: [...peer.evidence.values()].slice(0, maxMisbehaviour),
  })
  world.blocks.set(block.name, block)
  return block
}

/** Whether a proposed block may be voted for: the rules of the embedded engine. */
function judge(world: World, peer: Peer, { value, validRound, proposer }: Proposal): Validity {
  const block = world.blocks.get(value)
  if (!world.plan.protections.validates) return 'valid'
  if (!block) return 'invalid'
  if (block.proposer === peer.key) return 'valid'
  const last = peer.disk.store.at(-1)?.block
  const parent = last?.name ?? genesisName
  const isGood =
    block.isAcceptable &&
    block.height === peer.disk.store.length + 1 &&
    block.parent === parent &&
    block.appHash === (world.application?.appHash(parent) ?? genesisName) &&
    block.timeMs > (last?.timeMs ?? -1) &&
    peer.core.schedule.current.positions.has(block.proposer) &&
    (validRound !== -1 || block.proposer === proposer) &&
    block.misbehaviour.every((conflict) => isGoodEvidence(world, peer, conflict)) &&
    world.application?.isAcceptable(block) !== false
  if (!isGood) return 'invalid'
  return block.timeMs - (world.nowMs + peer.skewMs) > maxAheadMs ? 'untimely' : 'valid'
}

function isGoodEvidence(world: World, peer: Peer, conflict: Conflict): boolean {
  const { first, second } = conflict
  const { signatures, plan } = world
  return (
    !peer.included.has(evidenceKey(conflict)) &&
    first.height <= peer.disk.store.length + 1 &&
    scheduleAt(world, first.height).current.positions.has(first.validator) &&
    first.validator === second.validator &&
    first.height === second.height &&
    first.round === second.round &&
    first.step === second.step &&
    first.value !== second.value &&
    (!plan.protections.verifies ||
      (signatures.isSignedVote(first) && signatures.isSignedVote(second)))
  )
}

function onEvidence(world: World, peer: Peer, conflict: Conflict): void {
  if (peer.isHonest) world.checker.onEvidence(conflict)
  const key = evidenceKey(conflict)
  if (peer.included.has(key)) return
  world.counts.evidence++
  peer.evidence.set(key, conflict)
}

const evidenceKey = ({ first }: Conflict): string => `${first.validator}@${first.height}`
