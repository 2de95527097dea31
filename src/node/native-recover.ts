import type { Recover, RecoverLater } from '#services/sequencer'
import { loadSecp256k1 } from './recover.ts'
import type { RecoverThread } from './recover-thread.ts'

const { recover: recoverKey } = loadSecp256k1()

/** Public key recovery as the sequencer's engine takes it; loaded by its worker thread. */
export const recover: Recover = (digest, r, s, recovery) =>
  recoverKey(digest, joined(r, s), recovery)

/** The same as the sequencer's pool takes it: in another thread while many arrive. */
export const recoverLaterIn =
  (thread: RecoverThread): RecoverLater =>
  (digest, r, s, recovery) =>
    thread.recover({ digest, signature: joined(r, s), recovery })

function joined(r: Uint8Array, s: Uint8Array): Uint8Array {
  const signature = new Uint8Array(64)
  signature.set(r)
  signature.set(s, 32)
  return signature
}
