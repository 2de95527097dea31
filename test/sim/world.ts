import type { Assemblies, Conflict, CoreState, Proposal, ValidatorSchedule, Vote } from '#consensus'
import { advanceSchedule, createCore, createSchedule } from '#consensus'
import type { Hex } from '#primitives'
import type { Transaction, Validator } from '#records'
import type { Block, Stored } from './block.ts'
import { type Chance, createChance } from './chance.ts'
import { type Checker, createChecker } from './checker.ts'
import { createDisk, type Disk } from './disk.ts'
import { createEvents, type Events } from './events.ts'
import { createIdealSignatures } from './ideal-signatures.ts'
import type { Fault, Plan } from './plan.ts'
import { createRealSignatures } from './real-signatures.ts'
import type { Signatures, Signer } from './signatures.ts'

/** What validators say to each other: what the embedded engine's do, without bytes. */
export type Message =
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'want'; readonly value: Hex; readonly indices: readonly number[] }
  | { readonly kind: 'part'; readonly value: Hex; readonly index: number; readonly part: Hex }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'votes'; readonly votes: readonly Vote[] }
  | { readonly kind: 'status'; readonly height: number; readonly held: readonly Hex[] }
  | { readonly kind: 'fetch'; readonly height: number }
  | { readonly kind: 'blocks'; readonly blocks: readonly Stored[] }
  | { readonly kind: 'transaction'; readonly transaction: Transaction }

/** One validator. What is not on its disk is gone after a crash. */
export type Peer = {
  readonly id: number
  readonly key: Hex
  readonly signer: Signer
  readonly fault: Fault | undefined
  /** Whether it runs the right program, whatever happens to its disk and clock. */
  readonly isHonest: boolean
  readonly skewMs: number
  readonly disk: Disk
  isUp: boolean
  /** Counts its starts, so that a timer of an earlier life does nothing. */
  life: number
  core: CoreState
  isRunning: boolean
  enteredMs: number
  movedMs: number
  fetchAgainMs: number
  /** Blocks of this height that it holds, and those whose parts come in. */
  held: Set<Hex>
  readonly assemblies: Assemblies<undefined, Hex>
  /** Double votes that no block holds yet, by voter and height. */
  readonly evidence: Map<string, Conflict>
  readonly included: Set<string>
  /** First votes by slot: only for the control that keeps no others. */
  readonly firstVotes: Map<string, Hex | undefined>
  /** What an adversary remembers of what it heard. */
  readonly heard: Message[]
}

/** What parts of a run ask of each other: a crash, and a message's arrival, concern them all. */
export type Wiring = {
  /** Lets a validator do something, and crash over it. */
  act(world: World, peer: Peer, run: () => void): void
  receive(world: World, peer: Peer, from: Peer, message: Message): void
}

/** What a run may put on top of consensus. */
export type Application = {
  /** Of the state that a block left. */
  appHash(parent: Hex): Hex
  /** What a decided block changes about the validators. */
  updates(block: Block): readonly Validator[]
  /** Whether the application would let a block on its parent be voted for. */
  isAcceptable(block: Block): boolean
  propose(world: World, peer: Peer, height: number): readonly Transaction[]
  /** A validator has stored a block. */
  onCommit(world: World, peer: Peer, block: Block): void
  /** A validator is back after a crash. */
  onRestart(world: World, peer: Peer): void
  /** A transaction has reached a validator. */
  hears(peer: Peer, transaction: Transaction): void
  /** The run begins. */
  begin(world: World): void
  /** Whether all that was accepted has come to an end. */
  isDone(world: World): boolean
  /** What happened, by name. */
  counts(): Readonly<Record<string, number>>
}

/** A run under way. */
export type World = Wiring & {
  readonly plan: Plan
  readonly chance: Chance
  readonly events: Events
  readonly signatures: Signatures
  /** What blocks are for; undefined where only consensus runs. */
  readonly application: Application | undefined
  readonly checker: Checker
  readonly peers: readonly Peer[]
  readonly blocks: Map<Hex, Block>
  /** The other block of an equivocating proposer. */
  readonly twins: Map<Hex, Hex>
  /** Validators by height, as far as blocks are decided. */
  readonly schedules: ValidatorSchedule[]
  readonly lines: Set<number>
  readonly counts: Counts
  /** Every event as a line, when asked for. */
  readonly trace: string[] | undefined
  /** Of all events so far. */
  digest: number
  nowMs: number
  /** The side of a partition that each validator is on. */
  sides: readonly number[]
}

/** What happened in a run. */
export type Counts = {
  messages: number
  /** Parts of blocks among them. */
  parts: number
  lost: number
  crashes: number
  evidence: number
  highestRound: number
}

/** Keys that sort by id. */
export const keyOf = (id: number): Hex => `0x${id.toString(16).padStart(2, '0')}`

/** Who runs the right program: a bad disk or clock is not its will. */
const honestFaults: readonly (Fault | undefined)[] = [undefined, 'damaged', 'flipped', 'skewed']

/** @param traced - whether every event is to be written down. */
export function createWorld(
  plan: Plan,
  traced: boolean,
  wiring: Wiring,
  application: Application | undefined,
): World {
  const chance = createChance(plan.seed + 0x51ed27)
  const count = plan.size + plan.watchers
  const isHonest = (id: number) => honestFaults.includes(plan.faults[id])
  const genesis = plan.powers.map((power, id) => ({ consensusKey: keyOf(id), power }))
  const schedules = [createSchedule(genesis)]
  const blocks = new Map<Hex, Block>()
  const checker = createChecker({
    isHonest: (key) => isHonest(Number(key)),
    scheduleOf: (height) => scheduleAt(world, height),
    blockOf: (name) => blocks.get(name),
    isSignedVote: (vote) => signatures.isSignedVote(vote),
  })
  const create = plan.signatures === 'real' ? createRealSignatures : createIdealSignatures
  const signatures = create(checker.onSigned)
  const peers = Array.from({ length: count }, (_, id): Peer => {
    const key = keyOf(id)
    const fault = plan.faults[id]
    const skewMs = fault === 'skewed' ? chance.of([-1, 1]) * 30_000 : plan.skewMs
    return {
      ...{ id, key, fault, isHonest: isHonest(id), signer: signatures.signerOf(key) },
      ...{ skewMs: fault === 'skewed' ? skewMs : chance.below(2 * skewMs + 1) - skewMs },
      ...{
        disk: createDisk(),
        isUp: true,
        life: 0,
        core: createCore(key, 0, schedules[0] as never),
      },
      ...{ isRunning: false, enteredMs: 0, movedMs: 0, fetchAgainMs: 0, held: new Set() },
      ...{ assemblies: new Map(), evidence: new Map(), included: new Set() },
      ...{ firstVotes: new Map(), heard: [] },
    }
  })
  const world: World = {
    ...wiring,
    application,
    ...{ plan, chance, events: createEvents(), signatures, checker, peers, blocks, schedules },
    ...{ twins: new Map(), lines: new Set(), trace: traced ? [] : undefined },
    ...{ counts: { messages: 0, parts: 0, lost: 0, crashes: 0, evidence: 0, highestRound: 0 } },
    ...{ digest: plan.seed, nowMs: 0, sides: peers.map(() => 0) },
  }
  return world
}

/** The validators of a height, all blocks before which are decided, and of the next. */
export function scheduleAt({ schedules }: World, height: number): ValidatorSchedule {
  const schedule = schedules[height - 1]
  if (!schedule) throw new Error('defect: the block before is not decided')
  return schedule
}

/** Learns what a decided block changes about the validators. */
export function advanceValidators(world: World, block: Block): void {
  const { plan, schedules, application } = world
  const before = schedules[block.height - 1]
  if (!before || schedules.length > block.height) return
  const updates = application?.updates(block) ?? updatesAt(plan, block.height)
  schedules.push(advanceSchedule(before, updates))
}

/**
 * What the block of a height changes about the validators: watchers come and go, and correct
 * genesis validators gain and lose power; faulty ones stay under a third.
 */
function updatesAt({ changeEvery, size, watchers, faults, powers }: Plan, height: number) {
  if (changeEvery === 0 || height % changeEvery !== 0) return []
  const turn = height / changeEvery
  const updates: Validator[] = []
  if (watchers > 0) {
    const power = Math.floor(turn / watchers) % 2 === 0 ? 1n : 0n
    updates.push({ consensusKey: keyOf(size + (turn % watchers)), power })
  }
  const id = faults.length + (turn % (size - faults.length))
  const power = (powers[id] as bigint) + BigInt(turn % 3)
  updates.push({ consensusKey: keyOf(id), power })
  return updates
}

/** Writes down that something happened: what a replay is compared by. */
export function note(world: World, id: number, what: string, a: number, b: number): void {
  let digest = Math.imul(world.digest ^ world.nowMs, 0x01000193)
  digest = Math.imul(digest ^ (id << 8) ^ what.charCodeAt(0), 0x01000193)
  digest = Math.imul(digest ^ (a << 12) ^ b, 0x01000193)
  world.digest = digest ^ (digest >>> 15)
  world.trace?.push(`${world.nowMs} ${id} ${what} ${a} ${b}`)
}

/** Plans something. */
export const later = (world: World, delayMs: number, run: () => void): void =>
  world.events.push(world.nowMs + delayMs, run)

/** A name that no other block has. */
export const nextName = ({ blocks }: World): Hex =>
  `0x${(blocks.size + 1).toString(16).padStart(2, '0')}`

/** Whether faults have ended. */
export const isHealed = ({ plan, nowMs }: World): boolean => nowMs >= plan.healMs
