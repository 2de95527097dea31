import { randomWords } from '../support/random.ts'

/** Draws that follow from a seed: the only source of chance in a run. */
export type Chance = {
  /** An integer of 0 … n − 1. */
  below(n: number): number
  /** Whether something of this probability, in thousandths, happens. */
  hits(permille: number): boolean
  /** One of these. */
  of<T>(items: readonly T[]): T
}

/** Chance by the one generator of tests; neighbouring seeds start far apart. */
export function createChance(seed: number): Chance {
  const next = randomWords(Math.imul(seed, 0x9e3779b1))
  const below = (n: number): number => next() % n
  return {
    below,
    hits: (permille) => permille > 0 && below(1000) < permille,
    of<T>(items: readonly T[]) {
      return items[below(items.length)] as T
    },
  }
}
