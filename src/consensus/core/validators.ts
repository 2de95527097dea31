import { assert, DomainError, type Hex } from '#primitives'
import type { Validator } from '#records'

/** A validator and its standing in the proposer rotation. */
export type Member = Validator & { readonly priority: bigint }

/** The validators of one height, sorted by key, and who proposes in its round 0. */
export type ValidatorSet = {
  readonly members: readonly Member[]
  readonly totalPower: bigint
  readonly proposer: Hex
  /** Position in `members` by key. */
  readonly positions: ReadonlyMap<Hex, number>
}

/** The sets of a height and of the next: what a block changes acts two heights later. */
export type ValidatorSchedule = { readonly current: ValidatorSet; readonly next: ValidatorSet }

/**
 * The first set of a chain.
 *
 * @throws ValidatorUpdateError when none has power, or one is named twice.
 */
export const createValidatorSet = (validators: readonly Validator[]): ValidatorSet =>
  rotate(changed([], validators), 1)

/** The schedule of height 1. */
export function createSchedule(validators: readonly Validator[]): ValidatorSchedule {
  const current = createValidatorSet(validators)
  return { current, next: rotate(current, 1) }
}

/**
 * The schedule of height H + 1, after block H gave these updates: they act at H + 2.
 *
 * @throws ValidatorUpdateError when a power is negative, a key is named twice, or nobody is left.
 */
export function advanceSchedule(
  schedule: ValidatorSchedule,
  updates: readonly Validator[],
): ValidatorSchedule {
  const { next } = schedule
  const set = updates.length === 0 ? next : changed(next.members, updates)
  return { current: next, next: rotate(set, 1) }
}

/** Who proposes in a round: weighted round-robin, `round` steps after the set's own proposer. */
export const proposerOf = (set: ValidatorSet, round: number): Hex =>
  round === 0 ? set.proposer : rotate(set, round).proposer

/** A set with known priorities, as a store gives it back. */
export function restoreValidatorSet(members: readonly Member[], proposer: Hex): ValidatorSet {
  const sorted = [...members].sort((a, b) => (a.consensusKey < b.consensusKey ? -1 : 1))
  const positions = new Map(sorted.map(({ consensusKey }, i) => [consensusKey, i]))
  const totalPower = sorted.reduce((sum, { power }) => sum + power, 0n)
  return { members: sorted, totalPower, proposer, positions }
}

/**
 * Moves the rotation on. Each step adds every validator's power to its priority and takes the total
 * from the highest, who proposes. Ties go to the smaller key; in CometBFT to the smaller address, a
 * hash of it: there equals take their turns in another order.
 *
 * @see CometBFT's specification of proposer selection
 */
function rotate(set: ValidatorSet, times: number): ValidatorSet {
  const priorities = centred(scaled(set.members, set.totalPower))
  let leader = 0
  for (let step = 0; step < times; step++) {
    leader = 0
    for (let i = 0; i < priorities.length; i++) {
      priorities[i] = (priorities[i] as bigint) + (set.members[i] as Member).power
      if ((priorities[i] as bigint) > (priorities[leader] as bigint)) leader = i
    }
    priorities[leader] = (priorities[leader] as bigint) - set.totalPower
  }
  const members = set.members.map((member, i) => ({ ...member, priority: priorities[i] as bigint }))
  return { ...set, members, proposer: (members[leader] as Member).consensusKey }
}

/** Priorities divided so that they span at most twice the total: no giant can starve others. */
function scaled(members: readonly Member[], totalPower: bigint): bigint[] {
  const priorities = members.map(({ priority }) => priority)
  let highest = priorities[0] ?? 0n
  let lowest = highest
  for (const priority of priorities) {
    if (priority > highest) highest = priority
    if (priority < lowest) lowest = priority
  }
  const window = 2n * totalPower
  const spread = highest - lowest
  if (spread <= window) return priorities
  const ratio = (spread + window - 1n) / window
  return priorities.map((priority) => priority / ratio)
}

/** Priorities shifted so that their average is zero, rounded down. */
function centred(priorities: readonly bigint[]): bigint[] {
  const sum = priorities.reduce((a, b) => a + b, 0n)
  const count = BigInt(priorities.length)
  const average = sum < 0n ? -((-sum + count - 1n) / count) : sum / count
  return priorities.map((priority) => priority - average)
}

/**
 * Newcomers start 1.125 × total below: leaving and coming back gains no turn. Those who leave in
 * the same block still count in that total, as in CometBFT.
 */
function changed(members: readonly Member[], updates: readonly Validator[]): ValidatorSet {
  const byKey = new Map(members.map((member) => [member.consensusKey, member]))
  const named = new Set<Hex>()
  const newcomers: Validator[] = []
  let leavingPower = 0n
  for (const update of updates) {
    const { consensusKey, power } = update
    if (power < 0n || named.has(consensusKey))
      throw new ValidatorUpdateError('negative power or named twice', { consensusKey, power })
    named.add(consensusKey)
    const known = byKey.get(consensusKey)
    if (power === 0n) {
      leavingPower += known?.power ?? 0n
      byKey.delete(consensusKey)
    } else if (known) byKey.set(consensusKey, { ...known, power })
    else newcomers.push(update)
  }
  const totalPower = [...byKey.values(), ...newcomers].reduce((sum, { power }) => sum + power, 0n)
  if (totalPower === 0n)
    throw new ValidatorUpdateError('no validator is left', { consensusKey: '0x', power: 0n })
  const before = totalPower + leavingPower
  const priority = -(before + (before >> 3n))
  for (const { consensusKey, power } of newcomers)
    byKey.set(consensusKey, { consensusKey, power, priority })
  const all = [...byKey.values()]
  assert(all.length > 0, 'a set has members')
  return restoreValidatorSet(all, (all[0] as Member).consensusKey)
}

/** The application asked for a change of validators that cannot be made. */
export class ValidatorUpdateError extends DomainError<
  'BadValidatorUpdate',
  { consensusKey: Hex; power: bigint }
> {
  override readonly code = 'BadValidatorUpdate'
}
