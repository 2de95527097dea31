import { createChance } from './chance.ts'

/** How a validator of the faulty third misbehaves. */
export type Fault =
  /** Sends half of its peers other proposals and votes than the rest, and relays nothing. */
  | 'equivocator'
  /** Forgets its locks with every round, and what it signed. */
  | 'amnesiac'
  /** Says nothing at all. */
  | 'silent'
  /** Shows its proposals and votes to a few only. */
  | 'withholder'
  /** Proposes blocks that no ledger accepts, and votes for them. */
  | 'invalid'
  /** Sends again what others said long ago. */
  | 'replayer'
  /** Proposes again what had a polka long ago, whatever is locked since. */
  | 'reviver'
  /** Votes for anything, in any round, several times. */
  | 'liar'
  /** Its disk loses what was synced, so that it forgets locks without a will of its own. */
  | 'damaged'
  /** Its disk changes a bit of what was synced, at each crash. */
  | 'flipped'
  /** Its clock is far off. */
  | 'skewed'
  /** Signs in the name of others: harmless while signatures are checked. */
  | 'forger'

/** What a correct validator does to be safe; a control takes one away. */
export type Protections = {
  readonly verifies: boolean
  readonly validates: boolean
  readonly syncs: boolean
  /** Signs only once the log durably holds what led there. */
  readonly syncsFirst: boolean
  readonly locks: boolean
  readonly relays: boolean
  readonly keepsConflicts: boolean
  /** Reads nothing back from a disk but what was written. */
  readonly checksums: boolean
  /** Stores a block with the precommits that decided it, also after others did. */
  readonly keepsCommits: boolean
}

/** Everything about a run that its seed decides beforehand. */
export type Plan = {
  readonly seed: number
  /** Validators of the genesis; the first ones are the faulty. */
  readonly size: number
  readonly faults: readonly Fault[]
  /** Correct ones that watch at first, and join and leave while the run lasts. */
  readonly watchers: number
  /** Blocks between two changes of the validators; 0 for none. */
  readonly changeEvery: number
  /** Powers of the genesis validators. */
  readonly powers: readonly bigint[]
  /** Longest way of a message while there are faults. */
  readonly delayMs: number
  readonly dropPermille: number
  readonly duplicatePermille: number
  /**
   * `halves`: correct validators are in two halves from the start; only faulty ones reach both.
   * `leader`: the first proposer of a height is cut off when only it has what decides.
   */
  readonly partitions: 'none' | 'random' | 'halves' | 'leader'
  /** Of a crash before or after each durable step. */
  readonly crashPermille: number
  /** Of blocks so big that their parts have to be asked for. */
  readonly bigPermille: number
  /** Between the starts of two heights. */
  readonly blockIntervalMs: number
  readonly signatures: 'ideal' | 'real'
  /** Clocks of correct validators are off by at most this. */
  readonly skewMs: number
  /** From here on the network delivers, and nobody crashes any more. */
  readonly healMs: number
  /** Heights that must be decided after that, by everybody. */
  readonly goal: number
  /** Time for that; a run that needs longer is stuck. */
  readonly patienceMs: number
  readonly protections: Protections
}

/** All of them on. */
export const allProtections: Protections = {
  verifies: true,
  validates: true,
  syncs: true,
  syncsFirst: true,
  locks: true,
  relays: true,
  keepsConflicts: true,
  checksums: true,
  keepsCommits: true,
}

/** A run without any fault. */
export const calm = (seed: number, size: number): Plan => ({
  ...{ seed, size, faults: [], watchers: 0, changeEvery: 0, powers: Array(size).fill(1n) },
  ...{ delayMs: 20, dropPermille: 0, duplicatePermille: 0 },
  ...{ partitions: 'none' as const, crashPermille: 0, skewMs: 0, blockIntervalMs: 50 },
  ...{ signatures: 'ideal' as const, bigPermille: 0 },
  ...{ healMs: 0, goal: 10, patienceMs: 120_000, protections: allProtections },
})

/** Most faulty validators of n that the algorithm bears. */
export const mostFaulty = (size: number): number => Math.floor((size - 1) / 3)

const harmful: readonly Fault[] = [
  ...(['equivocator', 'equivocator', 'equivocator', 'amnesiac', 'silent', 'withholder'] as const),
  ...([
    'invalid',
    'replayer',
    'reviver',
    'reviver',
    'liar',
    'damaged',
    'flipped',
    'skewed',
    'forger',
  ] as const),
]

/** Sizes that a campaign goes through when none is asked for. */
export const sizes: readonly number[] = [4, 7, 10]

/** The plan of a seed: any mixture of faults that the algorithm must bear. */
export function planOf(seed: number, operators?: number): Plan {
  const chance = createChance(seed)
  const drawn = chance.of(sizes)
  const size = operators ?? drawn
  const most = mostFaulty(size)
  const count = chance.hits(800) ? most : chance.below(most + 1)
  const faults = Array.from({ length: count }, () => chance.of(harmful))
  return {
    ...calm(seed, size),
    faults,
    watchers: chance.hits(300) ? 1 + chance.below(2) : 0,
    changeEvery: chance.hits(400) ? 1 + chance.below(4) : 0,
    powers: Array.from({ length: size }, (_, id) =>
      id >= count && chance.hits(200) ? 2n + BigInt(chance.below(3)) : 1n,
    ),
    delayMs: chance.of([5, 20, 20, 60, 200, 500]),
    dropPermille: chance.of([0, 0, 20, 100, 300]),
    duplicatePermille: chance.of([0, 50, 200]),
    partitions: chance.of(['none', 'random', 'random', 'halves', 'leader'] as const),
    crashPermille: chance.of([0, 0, 1, 5, 20]),
    skewMs: chance.of([0, 50, 250]),
    healMs: 300 + chance.below(2000),
    goal: 3,
    bigPermille: chance.of([0, 200, 1000]),
  }
}

/** The plan of a seed with the ledger on top: fewer blocks, further apart, and fixed validators. */
export function ledgerPlanOf(
  seed: number,
  operators: number | undefined,
  signatures: Plan['signatures'],
): Plan {
  const plan = planOf(seed, operators)
  return {
    ...{ ...plan, signatures, watchers: 0, changeEvery: 0, powers: Array(plan.size).fill(1n) },
    ...{ blockIntervalMs: 500, healMs: 2_000 + plan.healMs * 2, goal: 2, patienceMs: 300_000 },
  }
}
