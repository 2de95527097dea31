import { concatBytes, fromHex } from '#primitives'
import type { OperatorId, Session, Signer } from '#records'
import {
  hashChallenge,
  hashCommitments,
  hashMessage,
  hashRho,
  identifierBytes,
  Point,
  parsePoint,
  Scalar,
  serialize,
  weightedSum,
} from './suite.ts'

/** One signer's commitments as points, and the factor that binds them to the session. */
export type BoundSigner = {
  readonly signer: Signer
  readonly hiding: Point
  readonly binding: Point
  readonly bindingFactor: bigint
}

/** What all shares of one session have in common, computed once. */
export type Bound = {
  /** By ascending operator id, as RFC 9591 orders them. */
  readonly signers: readonly BoundSigner[]
  /** R (§4.5), never the identity. */
  readonly commitment: Point
  /** c (§4.6). */
  readonly challenge: bigint
}

/** A session's signers in the order of RFC 9591, whatever order the ledger keeps them in. */
export const orderedSigners = (session: Session): readonly Signer[] =>
  [...session.signers].sort((a, b) => a.operator - b.operator)

/** Signers whose published commitments are no points: they cannot take part in any session. */
export const malformedSigners = (session: Session): readonly OperatorId[] =>
  orderedSigners(session)
    .filter(({ nonce }) => !parsePoint(nonce.hiding) || !parsePoint(nonce.binding))
    .map(({ operator }) => operator)

/**
 * Binding factors, group commitment and challenge (RFC 9591 §4.4 to §4.6).
 *
 * @returns undefined when there are no signers, one is there twice, a commitment is no point, or
 * the commitments cancel out.
 */
export function bind(session: Session, groupKey: Point): Bound | undefined {
  const points = orderedSigners(session).map(toPoints)
  if (!points.every((signer) => signer !== undefined)) return undefined
  if (points.some(({ signer }, i) => signer.operator === points[i - 1]?.signer.operator))
    return undefined
  const message = fromHex(session.message)
  const prefix = serialize(groupKey, hashMessage(message), hashCommitments(encodeList(points)))
  const signers = points.map((one) => ({
    ...one,
    bindingFactor: hashRho(concatBytes(prefix, identifierBytes(one.signer.operator))),
  }))
  const hiding = signers.reduce((sum, one) => sum.add(one.hiding), Point.ZERO)
  const weighted = weightedSum(
    signers.map(({ binding }) => binding),
    signers.map(({ bindingFactor }) => bindingFactor),
  )
  const commitment = hiding.add(weighted)
  if (commitment.is0()) return undefined
  return { signers, commitment, challenge: challengeOf(commitment, groupKey, message) }
}

/** The challenge of a Schnorr signature under the group key (RFC 9591 §4.6). */
export const challengeOf = (commitment: Point, groupKey: Point, message: Uint8Array): bigint =>
  hashChallenge(serialize(commitment, groupKey, message))

/** λ_i: what makes share `operator` count in the sum at zero (RFC 9591 §4.2). */
export function interpolatingValue(operators: readonly OperatorId[], operator: OperatorId): bigint {
  const own = BigInt(operator)
  const others = operators.filter((id) => id !== operator).map(BigInt)
  const numerator = others.reduce((product, id) => Scalar.mul(product, id), Scalar.ONE)
  const denominator = others.reduce(
    (product, id) => Scalar.mul(product, Scalar.sub(id, own)),
    Scalar.ONE,
  )
  return Scalar.div(numerator, denominator)
}

type Commitments = Pick<BoundSigner, 'signer' | 'hiding' | 'binding'>

function toPoints(signer: Signer): Commitments | undefined {
  const hiding = parsePoint(signer.nonce.hiding)
  const binding = parsePoint(signer.nonce.binding)
  return hiding && binding && { signer, hiding, binding }
}

/** encode_group_commitment_list (RFC 9591 §4.3). */
const encodeList = (signers: readonly Commitments[]): Uint8Array =>
  concatBytes(
    ...signers.map(({ signer, hiding, binding }) =>
      serialize(identifierBytes(signer.operator), hiding, binding),
    ),
  )
