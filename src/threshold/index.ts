// FROST(secp256k1, SHA-256), RFC 9591: how the network signs as one.
export {
  type DkgBroadcast,
  type DkgCollecting,
  type DkgDeal,
  type DkgDealing,
  type DkgOutcome,
  type DkgPlan,
  dkgRound1,
  dkgRound2,
  dkgRound3,
} from './dkg.ts'
export {
  aggregate,
  isCurvePoint,
  isNonceCommitment,
  judgeShares,
  type VerifyingShares,
  verifyGroupSignature,
} from './judges.ts'
export {
  CommitteeError,
  decodeKeyPackage,
  encodeKeyPackage,
  type KeyPackage,
  thresholdFor,
} from './key.ts'
export { groupKeyForL1, isUsableGroupKey, signatureForL1 } from './l1.ts'
export { type NonceSource, nonceCommitment } from './nonces.ts'
export {
  ForeignNonceError,
  NotASignerError,
  type SigningInput,
  sessionDigest,
  signShare,
  signTogether,
  UnsignableSessionError,
} from './signing.ts'
export { trustedDealer } from './trusted.ts'
