/** Draws that follow from a seed: the only source of chance in a run. */
export type Chance = {
  /** An integer of 0 … n − 1. */
  below(n: number): number
  /** Whether something of this probability, in thousandths, happens. */
  hits(permille: number): boolean
  /** One of these. */
  of<T>(items: readonly T[]): T
}

/** The mulberry32 generator. */
export function createChance(seed: number): Chance {
  let state = Math.imul(seed, 0x9e3779b1) | 0
  const below = (n: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n
  }
  return {
    below,
    hits: (permille) => permille > 0 && below(1000) < permille,
    of<T>(items: readonly T[]) {
      return items[below(items.length)] as T
    },
  }
}
