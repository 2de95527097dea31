import { fromHex, type Hex, keccak256, toHex } from '#primitives'

/** Siblings that a proof can have: sizes are safe integers. */
const maxSiblings = 64

/**
 * The root that an inclusion proof leads to, or undefined when it does not fit index and size.
 * Inner nodes are keccak256(left ‖ right).
 *
 * @param siblings - bottom-up.
 * @see RFC 9162 §2.1.3.2
 */
export function inclusionRoot(
  leaf: Hex,
  index: number,
  size: number,
  siblings: readonly Hex[],
): Hex | undefined {
  if (index >= size || siblings.length > maxSiblings) return undefined
  let fn = BigInt(index)
  let sn = BigInt(size) - 1n
  let root = fromHex(leaf, 32)
  for (const sibling of siblings) {
    if (sn === 0n) return undefined
    const other = fromHex(sibling, 32)
    if ((fn & 1n) === 1n || fn === sn) {
      root = keccak256(other, root)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else root = keccak256(root, other)
    fn >>= 1n
    sn >>= 1n
  }
  return sn === 0n ? toHex(root) : undefined
}
