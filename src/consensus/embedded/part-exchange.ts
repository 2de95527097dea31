import { DomainError, type Hex } from '#primitives'
import { isAskedFor, type Proposal, proposerOf, referencedValues, wants } from '../core/index.ts'
import { type Assembly, addPart, announce, fill, look, nextWant } from './assembly.ts'
import { blockHash, type Header, openParts, type SealedBlock } from './block.ts'
import { isSignedProposal } from './checks.ts'
import { feed } from './consensus.ts'
import type { Message } from './messages.ts'
import { join } from './pacing.ts'
import { bodyHash, partName } from './parts.ts'
import { type Runtime, refuse, sendTo } from './runtime.ts'

type Announced = Extract<Message, { kind: 'proposal' }>

/**
 * A proposal counts once its block is at hand: it is held already, or came along, or its parts are
 * asked of those who announce it.
 */
export async function onProposal(runtime: Runtime, from: Hex, message: Announced): Promise<void> {
  const { proposal, header, names, parts } = message
  if (!isGoodAnnouncement(runtime, from, message)) return
  await join(runtime, proposal.height)
  if (runtime.blocks.has(proposal.value)) return takeUp(runtime, [proposal])
  if (parts) {
    const sealed = tryOpen(runtime, from, header, parts)
    if (sealed) await complete(runtime, sealed, [proposal])
    return
  }
  const announcement = { proposal, header, names, from }
  const assembly = announce(runtime.assemblies, announcement, (one) =>
    isAskedFor(runtime.core, one),
  )
  if (!assembly) return
  fill(assembly, (name) => findPart(runtime, name))
  if (assembly.missing === 0) await finish(runtime, from, assembly)
  else askForParts(runtime, assembly)
}

/** A part that another block of this height holds, or is about to: proposers often agree. */
function findPart({ blocks, assemblies }: Runtime, name: Hex): Uint8Array | undefined {
  for (const { names, parts } of [...blocks.values(), ...assemblies.values()]) {
    const found = parts[names.indexOf(name)]
    if (found) return found
  }
  return undefined
}

/** Whether a proposal is wanted, by whose turn it is, and what comes with it is what it names. */
function isGoodAnnouncement(
  runtime: Runtime,
  from: Hex,
  { proposal, header, names }: Announced,
): boolean {
  if (!wants(runtime.core, proposal)) {
    if (isNotProposer(runtime, proposal)) refuse(runtime, 'NotProposer', from)
    return false
  }
  const { networkId } = runtime.options
  if (!isSignedProposal({ networkId, verify: runtime.verify }, proposal)) {
    refuse(runtime, 'BadSignature', from)
    return false
  }
  const isItsBlock = blockHash(header) === proposal.value && bodyHash(names) === header.bodyHash
  if (!isItsBlock) refuse(runtime, 'BlockMismatch', from)
  return isItsBlock
}

/** Looks that the parts of all blocks that wait come in. */
export function watchParts(runtime: Runtime): void {
  for (const assembly of runtime.assemblies.values()) {
    look(assembly)
    askForParts(runtime, assembly)
  }
}

/** Asks for the parts that a block lacks, unless somebody is about to answer. */
function askForParts(runtime: Runtime, assembly: Assembly<Header, Uint8Array>): void {
  const want = nextWant(assembly)
  if (want) sendTo(runtime, want.to, { kind: 'want', value: want.value, indices: want.indices })
}

/** Sends parts of a block at hand. A peer is answered less often than a correct one asks. */
export function onWant(
  runtime: Runtime,
  from: Hex,
  { value, indices }: Extract<Message, { kind: 'want' }>,
): void {
  const { blocks, servedMs, options, timing } = runtime
  const sealed = blocks.get(value)
  if (!sealed) return
  const nowMs = options.clock.nowMs()
  const served = `${from} ${value}`
  if (nowMs - (servedMs.get(served) ?? -Infinity) < timing.gossipMs / 2) {
    refuse(runtime, 'AsksTooOften', from)
    return
  }
  servedMs.set(served, nowMs)
  for (const index of new Set(indices)) {
    const bytes = sealed.parts[index]
    if (bytes) sendTo(runtime, from, { kind: 'part', value, index, bytes })
  }
}

/** Takes a part in; the last one makes the block whole. */
export async function onPart(
  runtime: Runtime,
  from: Hex,
  { value, index, bytes }: Extract<Message, { kind: 'part' }>,
): Promise<void> {
  const { assemblies } = runtime
  const assembly = assemblies.get(value)
  if (!assembly) {
    if (!runtime.blocks.has(value)) refuse(runtime, 'UnwantedPart', from)
    return
  }
  if (addPart(assembly, from, index, bytes, partName) === 'bad') {
    refuse(runtime, 'BadPart', from)
    askForParts(runtime, assembly)
    return
  }
  if (assembly.missing === 0) await finish(runtime, from, assembly)
}

async function finish(
  runtime: Runtime,
  from: Hex,
  assembly: Assembly<Header, Uint8Array>,
): Promise<void> {
  runtime.assemblies.delete(assembly.value)
  const parts = assembly.parts.flatMap((part) => part ?? [])
  const sealed = tryOpen(runtime, from, assembly.header, parts)
  if (sealed) await complete(runtime, sealed, [...assembly.proposals.values()])
}

async function complete(
  runtime: Runtime,
  sealed: SealedBlock,
  proposals: readonly Proposal[],
): Promise<void> {
  runtime.blocks.set(sealed.hash, sealed)
  await takeUp(runtime, proposals)
  const wanted = referencedValues(runtime.core)
  for (const value of runtime.blocks.keys()) if (!wanted.has(value)) runtime.blocks.delete(value)
}

async function takeUp(runtime: Runtime, proposals: readonly Proposal[]): Promise<void> {
  for (const proposal of proposals)
    if (wants(runtime.core, proposal)) await feed(runtime, { type: 'proposal', proposal })
}

/** A block from a peer; refused when its parts are no body, or another header's. */
export function tryOpen(
  runtime: Runtime,
  from: Hex,
  header: Header,
  parts: readonly Uint8Array[],
): SealedBlock | undefined {
  try {
    return openParts(header, parts)
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
