export { type Bisected, compareSources, type LightSource, verifyToHeight } from './bisection.ts'
export {
  type CanonicalVote,
  type CheckSignature,
  type CommitSignature,
  canonicalVoteBytes,
  type LightCommit,
} from './commit.ts'
export { type BlockReference, headerHash, type LightHeader } from './header.ts'
export { LightJsonError, readSignedHeader, readTime, readValidators } from './rpc-json.ts'
export { validatorAddress, validatorSetHash } from './validator-set.ts'
export {
  type LightBlock,
  type LightFault,
  type LightVerdict,
  type TrustedBlock,
  type TrustOptions,
  verifyLightBlock,
} from './verify.ts'
