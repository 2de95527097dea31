import { bytesToBigint, concatBytes, uint64Bytes } from './bytes.ts'
import { assert } from './errors.ts'
import { sha256 } from './hashes.ts'

/** Draws that follow from a seed alone. One seed, one purpose: derive a seed for each draw. */
export type RandomStream = {
  /** Uniform in 0 … n − 1, for 1 ≤ n ≤ 2^48; exactly, not nearly. */
  nextBelow(n: number): number
  /** Uniform in 0 … n − 1, for any n ≥ 1. */
  nextBigintBelow(n: bigint): bigint
}

/**
 * SHA-256 in counter mode: block i is SHA-256(seed ‖ i as 8 bytes big-endian). Draws take bytes in
 * order and are repeated while they fall above the largest multiple of `n`.
 *
 * @param seed - 32 bytes that nobody could choose.
 */
export function randomStream(seed: Uint8Array): RandomStream {
  const nextBytes = byteSource(seed)
  return {
    nextBelow: (n) => {
      assert(Number.isSafeInteger(n) && n >= 1 && n <= range48, 'a bound of 1 to 2^48')
      const limit = range48 - (range48 % n)
      let drawn = toUint48(nextBytes(6))
      while (drawn >= limit) drawn = toUint48(nextBytes(6))
      return drawn % n
    },
    nextBigintBelow: (n) => {
      assert(n >= 1n, 'a bound of at least 1')
      const length = 6 + Math.trunc((n.toString(16).length + 1) / 2)
      const range = 1n << BigInt(8 * length)
      const limit = range - (range % n)
      let drawn = bytesToBigint(nextBytes(length))
      while (drawn >= limit) drawn = bytesToBigint(nextBytes(length))
      return drawn % n
    },
  }
}

/** The items in an order in which every permutation is equally likely (Fisher-Yates). */
export const shuffle = <T>(seed: Uint8Array, items: readonly T[]): T[] =>
  shuffleWith(randomStream(seed), items)

/** Somebody who can be drawn, with a weight of any unit (not negative). */
export type Weighted<Id extends string | number> = { readonly id: Id; readonly weight: bigint }

/**
 * Draws `count` distinct ids without replacement so that each is in with probability exactly
 * count × weight / total. Who has at least total / count is always in; that is taken off, and the
 * rest is drawn in the same way among the others. Fewer come out only when fewer have weight.
 *
 * Systematic sampling on a shuffled order: the weights are laid end to end, and every total / count
 * from a random start, what lies there is drawn.
 *
 * @param weights - in any order: the result does not depend on it. Ids are distinct.
 * @returns ids in the shuffled order.
 * @see Madow (1949), On the theory of systematic sampling, II
 */
export function systematicSample<Id extends string | number>(
  seed: Uint8Array,
  weights: readonly Weighted<Id>[],
  count: number,
): Id[] {
  assert(Number.isSafeInteger(count) && count >= 0, 'a count')
  assert(new Set(weights.map(({ id }) => id)).size === weights.length, 'distinct ids')
  assert(
    weights.every(({ weight }) => weight >= 0n),
    'weights that are not negative',
  )
  const stream = randomStream(seed)
  const candidates = weights.filter(({ weight }) => weight > 0n).sort(byId)
  const order = shuffleWith(stream, candidates)
  const certain = certainOnes(order, count)
  const others = order.filter((one) => !certain.has(one))
  const drawn = new Set([...certain, ...drawEvenly(stream, others, count - certain.size)])
  return order.filter((one) => drawn.has(one)).map(({ id }) => id)
}

type Candidate = { readonly weight: bigint }

/** Those whose weight alone fills a place; again among the rest, until nobody's does. */
function certainOnes<T extends Candidate>(candidates: readonly T[], count: number): Set<T> {
  const certain = new Set<T>()
  let total = candidates.reduce((sum, { weight }) => sum + weight, 0n)
  // Heaviest first: if the heaviest of the rest does not fill a place, nobody does.
  for (const one of candidates.toSorted(byWeightDescending)) {
    const places = BigInt(count - certain.size)
    if (places === 0n || one.weight * places < total) break
    certain.add(one)
    total -= one.weight
  }
  return certain
}

/** `count` of the candidates, none of whom has as much as total / count. */
function drawEvenly<T extends Candidate>(
  stream: RandomStream,
  candidates: readonly T[],
  count: number,
): T[] {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0n)
  if (count === 0 || total === 0n) return []
  // In units of 1 / count, so that the distance between two marks, total / count, is an integer.
  let mark = stream.nextBigintBelow(total)
  let end = 0n
  const drawn: T[] = []
  for (const one of candidates) {
    end += one.weight * BigInt(count)
    if (mark >= end) continue
    drawn.push(one)
    mark += total
  }
  assert(drawn.length === count, 'a place for every mark')
  return drawn
}

function shuffleWith<T>(stream: RandomStream, items: readonly T[]): T[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const picked = stream.nextBelow(last + 1)
    const held = order[last] as T
    order[last] = order[picked] as T
    order[picked] = held
  }
  return order
}

/** By code units or by number, the same on every machine. */
const byId = (a: { id: string | number }, b: { id: string | number }): number =>
  a.id < b.id ? -1 : 1

const byWeightDescending = (a: Candidate, b: Candidate): number =>
  a.weight === b.weight ? 0 : a.weight > b.weight ? -1 : 1

const range48 = 2 ** 48

const toUint48 = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0)

/** The stream's bytes in order, as many as asked for at a time. */
function byteSource(seed: Uint8Array): (length: number) => Uint8Array {
  assert(seed.length === 32, 'a seed of 32 bytes')
  let counter = 0
  let held: Uint8Array = new Uint8Array(0)
  return (length) => {
    while (held.length < length) held = concatBytes(held, sha256(seed, uint64Bytes(counter++)))
    const taken = held.subarray(0, length)
    held = held.subarray(length)
    return taken
  }
}
