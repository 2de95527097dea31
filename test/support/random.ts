/** Integers of 32 bits that follow from a seed alone, by the mulberry32 generator. */
export function randomWords(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** Numbers in [0, 1) that follow from a seed alone. */
export function random(seed: number): () => number {
  const next = randomWords(seed)
  return () => next() / 2 ** 32
}
