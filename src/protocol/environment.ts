import type { Hex } from '#primitives'
import type { Services } from './service.ts'

/**
 * Pure functions that the ledger needs and the node supplies in a fast form: same inputs, same
 * outputs on every machine. The simulator supplies ideal ones.
 */
export type Environment = {
  readonly services: Services
  /** Address that signed a digest (r ‖ s ‖ v, low s), lower-case; undefined when none. */
  readonly recoverAddress: (digest: Hex, signature: Hex) => Hex | undefined
  /** Output of a valid RFC 9381 proof under a key, 64 bytes; undefined when it is invalid. */
  readonly verifyRandomness: (
    vrfKey: Hex,
    alpha: Uint8Array,
    proof: Uint8Array,
  ) => Uint8Array | undefined
}
