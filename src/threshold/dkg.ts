// Key generation between operators, so that nobody ever holds the group's secret: Pedersen's scheme
// with proofs of possession, as frost-rs and noble run it (RFC 9591 leaves it out of scope).
import { fromHex, type Hex, type Rng, toHex } from '#primitives'
import type { OperatorId } from '#records'
import { CommitteeError, checkCommittee, type KeyPackage } from './key.ts'
import {
  frost,
  hashDkg,
  identifierBytes,
  identifierOf,
  Point,
  parsePoint,
  parseScalar,
  Scalar,
  serialize,
} from './suite.ts'

/** Who generates a key together: `operators` must be the same at all, in any order. */
export type DkgPlan = {
  readonly operator: OperatorId
  readonly operators: readonly OperatorId[]
  readonly threshold: number
}

/**
 * Round 1, public: everybody must get the same. Whoever shows two faces is found out when the
 * operators compare group key and verifying shares before they accept a genesis.
 */
export type DkgBroadcast = {
  readonly operator: OperatorId
  /** Commitments to the polynomial's coefficients, compressed points; one per signer needed. */
  readonly commitment: readonly Hex[]
  /** Proof of possession of the constant coefficient, 65 bytes. */
  readonly proof: Hex
}

/** Round 2, secret: for `to` alone, over an encrypted and authenticated channel. */
export type DkgDeal = {
  readonly from: OperatorId
  readonly to: OperatorId
  /** 32-byte scalar. */
  readonly share: Hex
}

/** Between rounds 1 and 2. Secret; a crash here means starting again with everybody. */
export type DkgDealing = {
  readonly plan: DkgPlan
  readonly own: DkgBroadcast
  readonly coefficients: readonly bigint[]
}

/** Between rounds 2 and 3: the same, and the broadcasts that were accepted. Secret. */
export type DkgCollecting = DkgDealing & { readonly others: readonly DkgBroadcast[] }

/**
 * What a round gives, or why it cannot go on and through whom. MissingPackage: one is missing,
 * twice there or from a stranger. BadProof: a broadcast is malformed or proves nothing. BadDeal: a
 * deal contradicts its dealer's broadcast. BadProof shows to everybody; BadDeal is the receiver's
 * word.
 */
export type DkgOutcome<Result> =
  | ({ readonly ok: true } & Result)
  | {
      readonly ok: false
      readonly reason: 'MissingPackage' | 'BadProof' | 'BadDeal'
      readonly operators: readonly OperatorId[]
    }

/**
 * Draws this operator's polynomial.
 *
 * @throws CommitteeError when the plan is impossible, or not this operator's.
 */
export function dkgRound1(
  plan: DkgPlan,
  rng: Rng,
): { readonly state: DkgDealing; readonly broadcast: DkgBroadcast } {
  checkCommittee(plan.operators, plan.threshold)
  if (!plan.operators.includes(plan.operator))
    throw new CommitteeError(`operator ${plan.operator} is not among them`, plan)
  const id = identifierOf(plan.operator)
  const round = frost.DKG.round1(id, signersOf(plan), undefined, (length = 32) => rng(length))
  const broadcast = {
    operator: plan.operator,
    commitment: round.public.commitment.map(toHex),
    proof: toHex(round.public.proofOfKnowledge),
  }
  const coefficients = [...(round.secret.coefficients ?? [])]
  return { state: { plan, own: broadcast, coefficients }, broadcast }
}

/** Checks everybody else's broadcast and deals one share to each. The input stays as it was. */
export function dkgRound2(
  state: DkgDealing,
  broadcasts: readonly DkgBroadcast[],
): DkgOutcome<{ readonly state: DkgCollecting; readonly deals: readonly DkgDeal[] }> {
  const { plan } = state
  const others = sortedOthers(plan, broadcasts, ({ operator }) => operator)
  if (!others.ok) return others
  const cheaters = others.packages.filter((one) => !isBroadcast(one, plan.threshold))
  if (cheaters.length > 0)
    return refusal(
      'BadProof',
      cheaters.map(({ operator }) => operator),
    )
  const dealt = frost.DKG.round2(nobleSecret(state), others.packages.map(nobleBroadcast))
  const deals = others.packages.map(({ operator: to }) => {
    const share = dealt[identifierOf(to)]?.signingShare
    if (!share) throw new Error(`defect: no share for operator ${to}`)
    return { from: plan.operator, to, share: toHex(share) }
  })
  return { ok: true, state: { ...state, others: others.packages }, deals }
}

/** Checks the deals that this operator got and adds them up to its key. */
export function dkgRound3(
  state: DkgCollecting,
  deals: readonly DkgDeal[],
): DkgOutcome<{ readonly key: KeyPackage }> {
  const { plan, others } = state
  const addressed = deals.filter(({ to }) => to === plan.operator)
  const sorted = sortedOthers(plan, addressed, ({ from }) => from)
  if (!sorted.ok) return sorted
  const cheaters = sorted.packages.filter((deal, i) => !isDeal(deal, others[i]))
  if (cheaters.length > 0)
    return refusal(
      'BadDeal',
      cheaters.map(({ from }) => from),
    )
  const round1 = others.map(nobleBroadcast)
  const secret = { ...nobleSecret(state), step: 2 as const, round1Cache: round1 }
  const round2 = sorted.packages.map(({ from, share }) => ({
    identifier: identifierOf(from),
    signingShare: fromHex(share, 32),
  }))
  return { ok: true, key: keyPackage(plan, frost.DKG.round3(secret, round1, round2)) }
}

type NobleKey = ReturnType<typeof frost.DKG.round3>

/** Noble's result as ours. The dealer of `trusted.ts` gives the same shape. */
export function keyPackage(
  plan: DkgPlan,
  { public: shared, secret }: Pick<NobleKey, 'public' | 'secret'>,
): KeyPackage {
  const shareOf = (operator: OperatorId): Hex => {
    const share = shared.verifyingShares[identifierOf(operator)]
    if (!share) throw new Error(`defect: no verifying share of operator ${operator}`)
    return toHex(share)
  }
  const operators = [...plan.operators].sort((a, b) => a - b)
  return {
    operator: plan.operator,
    secretShare: toHex(secret.signingShare),
    verifyingShare: shareOf(plan.operator),
    groupKey: toHex(shared.commitments[0] ?? new Uint8Array()),
    threshold: plan.threshold,
    verifyingShares: new Map(operators.map((operator) => [operator, shareOf(operator)])),
  }
}

const signersOf = ({ operators, threshold }: DkgPlan) => ({
  min: threshold,
  max: operators.length,
})

const refusal = (reason: 'MissingPackage' | 'BadProof' | 'BadDeal', operators: OperatorId[]) =>
  ({ ok: false, reason, operators }) as const

/** The packages of all the others by ascending id: each one's, once, and no stranger's. */
function sortedOthers<T>(plan: DkgPlan, packages: readonly T[], senderOf: (one: T) => OperatorId) {
  const expected = plan.operators.filter((id) => id !== plan.operator)
  const count = (id: OperatorId) => packages.filter((one) => senderOf(one) === id).length
  const strangers = packages.map(senderOf).filter((id) => !expected.includes(id))
  const wrong = [...expected.filter((id) => count(id) !== 1), ...new Set(strangers)]
  if (wrong.length > 0) return refusal('MissingPackage', wrong)
  return {
    ok: true as const,
    packages: [...packages].sort((a, b) => senderOf(a) - senderOf(b)),
  }
}

/** Well-formed, and proves that its sender knows the secret behind its first commitment. */
function isBroadcast({ operator, commitment, proof }: DkgBroadcast, threshold: number): boolean {
  if (commitment.length !== threshold || proof.length !== 2 + 2 * 65) return false
  const points = commitment.map(parsePoint)
  const [first] = points
  const nonce = parsePoint(proof.slice(0, 68) as Hex)
  const mu = parseScalar(`0x${proof.slice(68)}`)
  if (!first || !points.every(Boolean) || !nonce || mu === undefined) return false
  const challenge = hashDkg(serialize(identifierBytes(operator), first, nonce))
  return Point.BASE.multiplyUnsafe(mu).equals(nonce.add(first.multiplyUnsafe(challenge)))
}

/** share·G = Σ C_j·to^j (RFC 9591 appendix C.2), by Horner's rule: ids are small. */
function isDeal({ to, share }: DkgDeal, broadcast: DkgBroadcast | undefined): boolean {
  const scalar = parseScalar(share)
  const points = broadcast?.commitment.map(parsePoint)
  if (!scalar || !points) return false
  const expected = points.reduceRight<Point>((sum, point) => {
    const raised = sum.is0() ? sum : sum.multiplyUnsafe(BigInt(to))
    return raised.add(point ?? Point.ZERO)
  }, Point.ZERO)
  return Point.BASE.multiply(scalar).equals(expected)
}

/** Noble changes what it is given, so that it gets copies. */
const nobleSecret = ({ plan, own, coefficients }: DkgDealing) => ({
  identifier: Scalar.create(BigInt(plan.operator)),
  coefficients: [...coefficients],
  commitment: own.commitment.map((point) => fromHex(point, 33)),
  signers: signersOf(plan),
  step: 1 as const,
})

const nobleBroadcast = ({ operator, commitment, proof }: DkgBroadcast) => ({
  identifier: identifierOf(operator),
  commitment: commitment.map((point) => fromHex(point, 33)),
  proofOfKnowledge: fromHex(proof, 65),
})
