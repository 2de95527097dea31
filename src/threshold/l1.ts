import { assert, type Hex } from '#primitives'
import type { GroupSignature } from '#records'
import { parsePoint, parseScalar, Scalar } from './suite.ts'

/**
 * Whether L1 can verify under this key: `ecrecover` carries the x coordinate in a field that must
 * be above 0 and below the group order. About one key in 2^128 is not; then key generation is run
 * again.
 */
export function isUsableGroupKey(groupKey: Hex): boolean {
  const point = parsePoint(groupKey)
  return point !== undefined && point.x > 0n && point.x < Scalar.ORDER
}

/** The group key as `GroupVerifier` takes it; `parity` is 1 when py is odd. */
export function groupKeyForL1(groupKey: Hex): {
  readonly px: bigint
  readonly py: bigint
  readonly parity: 0 | 1
} {
  const point = parsePoint(groupKey)
  assert(point && isUsableGroupKey(groupKey), 'a group key that L1 can verify under')
  const { x, y } = point.toAffine()
  return { px: x, py: y, parity: y % 2n === 1n ? 1 : 0 }
}

/** A group signature as `GroupVerifier` takes it: R decompressed, which is dear on L1. */
export function signatureForL1(signature: GroupSignature): {
  readonly rx: bigint
  readonly ry: bigint
  readonly z: bigint
} {
  const point = parsePoint(signature.slice(0, 68) as Hex)
  const z = parseScalar(`0x${signature.slice(68)}`)
  assert(point && z !== undefined, 'a group signature')
  const { x, y } = point.toAffine()
  return { rx: x, ry: y, z }
}
