import { assert, type Hex, unreachable } from '#primitives'
import {
  apply,
  type Ballot,
  type Input,
  type JournalInput,
  type Offer,
  type Output,
  type Proposal,
  type Timeout,
  toJournal,
} from '../core/index.ts'
import { finalize, toCommit } from './deciding.ts'
import { addEvidence } from './evidence.ts'
import { judge } from './judging.ts'
import type { LogRecord } from './log.ts'
import { maxInlineBytes } from './messages.ts'
import { sizeOfParts } from './parts.ts'
import { makeBlock } from './proposing.ts'
import { isLive, type Runtime, schedule, sendTo, sendToAll, workingHeight } from './runtime.ts'
import { proposalSignBytes, voteSignBytes } from './sign-bytes.ts'
import type { SignSlot } from './signer.ts'

/**
 * Gives the core an input, carries out what it asks for, and feeds back the answers, until it asks
 * no more. Inputs are logged in the order in which the core takes them; what an own message follows
 * from is durable before it leaves.
 */
export async function feed(runtime: Runtime, ...first: readonly Input[]): Promise<void> {
  const inputs = [...first]
  for (let input = inputs.shift(); input && isLive(runtime); input = inputs.shift()) {
    record(runtime, input)
    if (isOwn(runtime, input)) await publish(runtime, input)
    inputs.push(...(await carryOutAll(runtime, advance(runtime, input))))
  }
}

/** Carries out outputs in order; the answers are inputs for the core. */
export async function carryOutAll(
  runtime: Runtime,
  outputs: readonly Output[],
): Promise<readonly Input[]> {
  const answers: Input[] = []
  for (const output of outputs)
    if (isLive(runtime)) answers.push(...(await carryOut(runtime, output)))
  return answers
}

/** One step of the core, without its consequences. */
function advance(runtime: Runtime, input: Input): readonly Output[] {
  const before = runtime.core.machine
  const { state, outputs } = apply(runtime.core, input)
  runtime.core = state
  const { height, round, step } = state.machine
  if (height !== before.height || round !== before.round || step !== before.step)
    runtime.movedMs = runtime.options.clock.nowMs()
  return outputs
}

async function carryOut(runtime: Runtime, output: Output): Promise<readonly Input[]> {
  switch (output.type) {
    case 'propose':
      return propose(runtime, output.offer)
    case 'vote':
      return vote(runtime, output.ballot)
    case 'schedule':
      startTimeout(runtime, output.timeout)
      return []
    case 'getValue': {
      const sealed = await makeBlock(runtime)
      runtime.blocks.set(sealed.hash, sealed)
      return [{ ...output, type: 'value', value: sealed.hash }]
    }
    case 'checkValue': {
      const { height, round, value } = output.proposal
      const validity = await judge(runtime, output.proposal)
      return [{ type: 'validity', height, round, value, validity }]
    }
    case 'decide': {
      if (output.height !== workingHeight(runtime)) return []
      const sealed = runtime.blocks.get(output.value)
      assert(sealed, 'the core decides only blocks that were proposed to it')
      await finalize(runtime, sealed, toCommit(output))
      return []
    }
    case 'evidence':
      addEvidence(runtime, output.conflict)
      return []
    default:
      return unreachable(output)
  }
}

/**
 * A proposer waits for its own proposal without a timer: where the guard has signed another, whose
 * block a crash took, it goes on as those do who see none.
 */
async function propose(runtime: Runtime, offer: Offer): Promise<readonly Input[]> {
  const { height, round } = offer
  const slot = { height, round, step: 'proposal' } as const
  const signature = await sign(runtime, slot, proposalSignBytes(runtime.options.networkId, offer))
  return signature === undefined
    ? [{ type: 'timeout', timeout: { step: 'propose', height, round } }]
    : [{ type: 'proposal', proposal: { ...offer, signature } }]
}

async function vote(runtime: Runtime, ballot: Ballot): Promise<readonly Input[]> {
  const { height, round, step } = ballot
  const slot = { height, round, step }
  const signature = await sign(runtime, slot, voteSignBytes(runtime.options.networkId, ballot))
  return signature === undefined ? [] : [{ type: 'vote', vote: { ...ballot, signature } }]
}

/**
 * Signs only once the log durably holds what led here: after a crash the validator then comes to
 * the same slot and the same vote, and its guard lets it pass. A guard that is ahead of the log
 * would refuse votes that a round waits for.
 */
async function sign(runtime: Runtime, slot: SignSlot, bytes: Uint8Array): Promise<Hex | undefined> {
  const { signer, log, logger } = runtime.options
  await log.sync()
  if (!isLive(runtime)) return undefined
  const signed = await signer.sign(slot, bytes)
  if (signed.ok) return signed.signature
  logger.warn('sign guard refused', { reason: signed.reason, ...slot })
  return undefined
}

const isOwn = ({ self }: Runtime, input: Input): input is OwnMessage =>
  (input.type === 'vote' && input.vote.validator === self) ||
  (input.type === 'proposal' && input.proposal.proposer === self)

type OwnMessage = Extract<Input, { type: 'vote' | 'proposal' }>

/** An own proposal leaves only once the log durably holds it: a vote follows from what is held. */
async function publish(runtime: Runtime, own: OwnMessage): Promise<void> {
  if (own.type === 'vote') return sendToAll(runtime, { kind: 'votes', votes: [own.vote] })
  await runtime.options.log.sync()
  if (isLive(runtime)) sendProposal(runtime, own.proposal)
}

/** Announces a proposal to one peer or all; nothing when its block is not at hand. */
export function sendProposal(runtime: Runtime, proposal: Proposal, to?: Hex): void {
  const sealed = runtime.blocks.get(proposal.value)
  if (!sealed) return
  const { block, names } = sealed
  const parts = sizeOfParts(sealed.parts) <= maxInlineBytes ? sealed.parts : undefined
  const message = { kind: 'proposal', proposal, header: block.header, names, parts } as const
  if (to === undefined) sendToAll(runtime, message)
  else sendTo(runtime, to, message)
}

/**
 * Logs what the core is about to take in; unsynced, since the next own message takes it along.
 */
function record({ options, blocks, core }: Runtime, input: Input): void {
  for (const entry of toJournal(core, input)) {
    const log = toRecord(blocks, entry)
    if (log) options.log.append(log)
  }
}

/** Undefined for a proposal whose block is not at hand: replayed, it could not be judged. */
function toRecord(blocks: Runtime['blocks'], entry: JournalInput): LogRecord | undefined {
  switch (entry.type) {
    case 'proposal': {
      const block = blocks.get(entry.proposal.value)?.bytes
      return block && { kind: 'proposal', proposal: entry.proposal, block }
    }
    case 'vote':
      return { kind: 'vote', vote: entry.vote }
    case 'validity': {
      const { type: kind, ...rest } = entry
      return { kind, ...rest }
    }
    case 'timeout':
      return { kind: 'timeout', timeout: entry.timeout }
    default:
      return unreachable(entry)
  }
}

/** The proposer may start a block interval later than whoever waits for it. */
function startTimeout(runtime: Runtime, timeout: Timeout): void {
  const { proposeMs, voteMs, growthMs, blockIntervalMs } = runtime.timing
  const base = timeout.step === 'propose' ? proposeMs + blockIntervalMs : voteMs
  schedule(runtime, base + growthMs * timeout.round, { type: 'timeout', timeout })
}
