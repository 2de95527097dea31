import type { Hex } from '#primitives'
import type { Proposal } from '../core/index.ts'

/** A proposal as it is announced: who has the block is asked for its parts. */
export type Announcement<Header> = {
  readonly proposal: Proposal
  readonly header: Header
  /** Names of all parts, in order. */
  readonly names: readonly Hex[]
  readonly from: Hex
}

/** A block that was announced and whose parts come in. */
export type Assembly<Header, Part> = {
  readonly value: Hex
  readonly height: number
  readonly header: Header
  readonly names: readonly Hex[]
  readonly parts: (Part | undefined)[]
  missing: number
  /** Its proposals, by round: they count once the block is whole. */
  readonly proposals: Map<number, Proposal>
  /** Who has it; the first is asked next. */
  sources: Hex[]
  /** Who has sent a wrong part, whatever they say of it since. */
  readonly refused: Set<Hex>
  /** Looks since somebody was last asked, or answered; undefined when nobody is asked. */
  looks: number | undefined
}

/** Blocks that come in, by name, oldest first. */
export type Assemblies<Header, Part> = Map<Hex, Assembly<Header, Part>>

/** What to ask of whom. */
export type Want = { readonly to: Hex; readonly value: Hex; readonly indices: readonly number[] }

/**
 * Most blocks that come in at a time: what bounds their memory. Correct proposers need one a
 * height; others cannot push out a block that votes ask for.
 */
export const mostAssemblies = 8

/**
 * Takes up an announced block, or learns that one more peer has it. Of the blocks of one round, the
 * first counts, and those that votes ask for.
 *
 * @param isAskedFor - whether more than 1/3 of the power has voted for a proposal's value.
 * @returns undefined when there is no room for it.
 */
export function announce<Header, Part>(
  assemblies: Assemblies<Header, Part>,
  { proposal, header, names, from }: Announcement<Header>,
  isAskedFor: (proposal: Proposal) => boolean,
): Assembly<Header, Part> | undefined {
  const { value, height, round } = proposal
  const known = assemblies.get(value)
  if (known) {
    known.proposals.set(round, proposal)
    if (!known.sources.includes(from) && !known.refused.has(from)) known.sources.push(from)
    return known
  }
  const isIdle = (one: Assembly<Header, Part>) => ![...one.proposals.values()].some(isAskedFor)
  if (!isAskedFor(proposal)) {
    const isRival = (one: Assembly<Header, Part>) =>
      one.height === height && one.proposals.has(round)
    if ([...assemblies.values()].some(isRival)) return undefined
  }
  if (assemblies.size >= mostAssemblies) {
    const idle = [...assemblies.values()].find(isIdle)
    if (!idle) return undefined
    assemblies.delete(idle.value)
  }
  const assembly: Assembly<Header, Part> = {
    ...{ value, height, header, names, parts: names.map(() => undefined), missing: names.length },
    ...{ proposals: new Map([[round, proposal]]), sources: [from], looks: undefined },
    refused: new Set(),
  }
  assemblies.set(value, assembly)
  return assembly
}

/** Takes in the parts that are at hand already. */
export function fill<Header, Part>(
  assembly: Assembly<Header, Part>,
  find: (name: Hex) => Part | undefined,
): void {
  for (const [i, name] of assembly.names.entries()) {
    if (assembly.parts[i] !== undefined) continue
    const part = find(name)
    if (part === undefined) continue
    assembly.parts[i] = part
    assembly.missing--
  }
}

/**
 * Looks every now and then that parts come: `nextWant` turns to another peer when `patientLooks`
 * have passed without any. Looks and not a clock, since a machine that stood still for a while has
 * let no peer answer.
 */
export function look<Header, Part>(assembly: Assembly<Header, Part>): void {
  if (assembly.looks !== undefined) assembly.looks++
}

/** At the second one, a whole interval has passed. */
const patientLooks = 2

/**
 * Whom to ask for what is missing, now: one peer at a time, the next one when the last does not
 * answer, so that no part travels twice without need.
 */
export function nextWant<Header, Part>(assembly: Assembly<Header, Part>): Want | undefined {
  const [to, ...others] = assembly.sources
  if (to === undefined || (assembly.looks ?? patientLooks) < patientLooks) return undefined
  assembly.looks = 0
  assembly.sources = [...others, to]
  const indices = assembly.names.flatMap((_, i) => (assembly.parts[i] === undefined ? [i] : []))
  return { to, value: assembly.value, indices }
}

/**
 * Takes a part in; while they come, nobody else is asked. Whoever sends a wrong one is not asked
 * for this block again, and another is at once; but only where it was to be asked, since peers send
 * whole blocks to whoever asks.
 */
export function addPart<Header, Part>(
  assembly: Assembly<Header, Part>,
  from: Hex,
  index: number,
  part: Part,
  nameOf: (part: Part) => Hex,
): 'kept' | 'held' | 'bad' {
  const name = assembly.names[index]
  if (name !== undefined && assembly.parts[index] !== undefined) return 'held'
  if (name === undefined || nameOf(part) !== name) {
    if (!assembly.sources.includes(from)) return 'bad'
    assembly.refused.add(from)
    assembly.sources = assembly.sources.filter((source) => source !== from)
    assembly.looks = undefined
    return 'bad'
  }
  assembly.parts[index] = part
  assembly.missing--
  assembly.looks = 0
  return 'kept'
}
