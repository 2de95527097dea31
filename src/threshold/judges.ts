// Pure judges: every operator's ledger runs them on the same committed values.
import { assert, fromHex, type Hex, toHex } from '#primitives'
import type { GroupSignature, NonceCommitment, OperatorId, Session } from '#records'
import {
  type Bound,
  type BoundSigner,
  bind,
  challengeOf,
  interpolatingValue,
  malformedSigners,
} from './binding.ts'
import { Point, parsePoint, parseScalar, Scalar, serialize, weightedSum } from './suite.ts'

/** Verifying shares by operator: compressed points, from the genesis or the last resharing. */
export type VerifyingShares = ReadonlyMap<OperatorId, Hex>

/**
 * The group's signature from a session whose shares are all in (RFC 9591 §5.3), verified.
 *
 * @returns undefined while a share is missing, and when the shares do not add up to a signature:
 * then `judgeShares` says whose are bad.
 */
export function aggregate(session: Session, groupKey: Hex): GroupSignature | undefined {
  const key = keyPoint(groupKey)
  const shares = session.signers.map(({ share }) => share && parseScalar(share))
  if (!shares.every((share) => share !== undefined)) return undefined
  const bound = bind(session, key)
  if (!bound) return undefined
  const z = shares.reduce((sum, share) => Scalar.add(sum, share), Scalar.ZERO)
  if (!isSchnorr(bound.commitment, z, key, bound.challenge)) return undefined
  return toHex(serialize(bound.commitment, Scalar.toBytes(z)))
}

/**
 * Who sent a share that is not theirs to send (RFC 9591 §5.4). R is computed once for all.
 *
 * @param session - shares that are not in yet are not judged: silence is another matter.
 * @param verifyingShares - must hold every signer.
 * @returns the bad ones, ascending. A signer whose published commitments are no points is bad
 * too, and alone, since nobody's share can be judged then.
 */
export function judgeShares(
  session: Session,
  groupKey: Hex,
  verifyingShares: VerifyingShares,
): { readonly bad: readonly OperatorId[] } {
  const bound = bind(session, keyPoint(groupKey))
  if (!bound) return { bad: malformedSigners(session) }
  const operators = bound.signers.map(({ signer }) => signer.operator)
  const isBad = (one: BoundSigner): boolean => {
    const lambda = interpolatingValue(operators, one.signer.operator)
    return !isShare(one, bound, lambda, verifyingShares.get(one.signer.operator))
  }
  const reported = bound.signers.filter(({ signer }) => signer.share !== undefined)
  return { bad: reported.filter(isBad).map(({ signer }) => signer.operator) }
}

/** Whether the group signed this message; false too when key or signature are malformed. */
export function verifyGroupSignature(
  groupKey: Hex,
  message: Hex,
  signature: GroupSignature,
): boolean {
  const key = parsePoint(groupKey)
  const commitment = parsePoint(signature.slice(0, 68) as Hex)
  const z = parseScalar(`0x${signature.slice(68)}`)
  if (!key || !commitment || z === undefined) return false
  return isSchnorr(commitment, z, key, challengeOf(commitment, key, fromHex(message)))
}

/** Whether a commitment may be admitted to the ledger's pool: two points of the curve. */
export const isNonceCommitment = ({ hiding, binding }: NonceCommitment): boolean =>
  parsePoint(hiding) !== undefined && parsePoint(binding) !== undefined

/** Whether a text names a point of the curve: a group key or a verifying share can be no other. */
export const isCurvePoint = (text: Hex): boolean => parsePoint(text) !== undefined

/** z·G = R + c·P, in the ranges that L1 demands. All public, so time may vary. */
const isSchnorr = (commitment: Point, z: bigint, key: Point, challenge: bigint): boolean =>
  z !== 0n &&
  challenge !== 0n &&
  Point.BASE.multiplyUnsafe(z).equals(commitment.add(key.multiplyUnsafe(challenge)))

/** z_i·G = D_i + ρ_i·E_i + c·λ_i·Y_i. */
function isShare(
  { signer, hiding, binding, bindingFactor }: BoundSigner,
  { challenge }: Bound,
  lambda: bigint,
  verifyingShare: Hex | undefined,
): boolean {
  const share = signer.share && parseScalar(signer.share)
  const point = verifyingShare && parsePoint(verifyingShare)
  assert(point, `the verifying share of operator ${signer.operator} is known`)
  if (share === undefined) return false
  const weights = [bindingFactor, Scalar.mul(challenge, lambda)]
  const expected = hiding.add(weightedSum([binding, point], weights))
  return Point.BASE.multiplyUnsafe(share).equals(expected)
}

function keyPoint(groupKey: Hex): Point {
  const point = parsePoint(groupKey)
  assert(point, 'the group key is a point')
  return point
}
