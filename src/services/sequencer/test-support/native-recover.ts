import secp256k1 from 'secp256k1'
import type { Recover } from '../engine/recover.ts'

/** Native recovery, as the node injects it. */
export const nativeRecover: Recover = (digest, r, s, recovery) => {
  const signature = new Uint8Array(64)
  signature.set(r)
  signature.set(s, 32)
  try {
    return secp256k1.ecdsaRecover(signature, recovery, digest, false).subarray(1)
  } catch {
    return undefined
  }
}
