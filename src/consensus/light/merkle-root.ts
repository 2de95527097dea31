import { sha256 } from '#primitives'

/**
 * The root over a list of byte strings: SHA-256 with a byte before leaves (0) and inner nodes (1),
 * split at the largest power of two below the length.
 *
 * @see RFC 6962 §2.1
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = leaves
  if (!first) return sha256(new Uint8Array())
  if (others.length === 0) return sha256(leafByte, first)
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha256(innerByte, merkleRoot(leaves.slice(0, split)), merkleRoot(leaves.slice(split)))
}

const leafByte = Uint8Array.of(0)
const innerByte = Uint8Array.of(1)
