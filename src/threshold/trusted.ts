import type { Rng } from '#primitives'
import { keyPackage } from './dkg.ts'
import { checkCommittee, type KeyPackage } from './key.ts'
import { frost, identifierOf } from './suite.ts'

/**
 * All key packages of operators 1 to n at once (RFC 9591 appendix C). **For simulations, benches
 * and tests only**: whoever runs it knows the group's secret and can sign alone.
 *
 * @throws CommitteeError when no key can be made for n and t.
 */
export function trustedDealer(n: number, t: number, rng: Rng): readonly KeyPackage[] {
  const operators = Array.from({ length: n }, (_, i) => i + 1)
  checkCommittee(operators, t)
  const ids = operators.map(identifierOf)
  const dealt = frost.trustedDealer({ min: t, max: n }, ids, undefined, (length = 32) =>
    rng(length),
  )
  return operators.map((operator) => {
    const secret = dealt.secretShares[identifierOf(operator)]
    if (!secret) throw new Error(`defect: no share for operator ${operator}`)
    return keyPackage({ operator, operators, threshold: t }, { public: dealt.public, secret })
  })
}
