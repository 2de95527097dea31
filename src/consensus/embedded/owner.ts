import type { Hex } from '#primitives'
import { type Codec, decode, encode, hash32, optional, record, uint32 } from '#records'

/** Whose a file is: its first record. */
export type Owner = {
  readonly version: number
  readonly networkId: Hex
  /**
   * Public key of the one validator whose file it is; undefined when every validator's is alike.
   */
  readonly validator: Hex | undefined
}

/** The bytes of a file's first record. */
export const ownerHeader = (owner: Owner): Uint8Array => encode(ownerCodec, owner)

/** Whose a file with this first record is. @throws what decoding throws. */
export const readOwner = (header: Uint8Array): Owner => decode(ownerCodec, header)

/**
 * Says what another file's first record means, as the end of a sentence that begins with its name.
 */
export const whoseFile =
  (mine: Owner) =>
  (header: Uint8Array): string => {
    const { version, networkId, validator } = readOwner(header)
    if (version !== mine.version)
      return `is of version ${version}, this software reads version ${mine.version}`
    if (networkId !== mine.networkId)
      return `belongs to network ${networkId}, not to ${mine.networkId}: ${remedy}`
    return `belongs to validator ${validator}, not to ${mine.validator}: ${remedy}`
  }

const remedy = 'give the operator its own data folder'

const ownerCodec: Codec<Owner> = record({
  version: uint32,
  networkId: hash32,
  validator: optional(hash32),
})
