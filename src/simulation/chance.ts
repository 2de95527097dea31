import { sha256, uint64Bytes, utf8 } from '#primitives'

/**
 * A number in [0, 1) for each thing that may happen, by the seed and the thing's name alone: what
 * happens to one operator does not change what happens to another, nor when.
 */
export type Chance = (name: string) => number

/** The chance of one run. */
export function createChance(seed: number): Chance {
  const key = uint64Bytes(seed)
  return (name) => {
    const hash = sha256(key, utf8(name))
    const high = new DataView(hash.buffer, hash.byteOffset, 8)
    return (high.getUint32(0) * 2 ** 16 + high.getUint16(4)) / 2 ** 48
  }
}
