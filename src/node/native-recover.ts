import type { Recover } from '#services/sequencer'
import { loadSecp256k1 } from './recover.ts'

const { recover: recoverKey } = loadSecp256k1()

/** Public key recovery as the sequencer's engine takes it; loaded by its worker thread. */
export const recover: Recover = (digest, r, s, recovery) => {
  const signature = new Uint8Array(64)
  signature.set(r)
  signature.set(s, 32)
  return recoverKey(digest, signature, recovery)
}
