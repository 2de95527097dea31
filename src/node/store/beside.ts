import { type Codec, encode } from '#records'

/**
 * A value that is kept beside the ledger, in the transaction of a commit; undefined: taken away.
 */
export type Beside = { readonly name: string; readonly bytes: Uint8Array | undefined }

/** A value to keep, by its name. */
export const beside = <T>(codec: Codec<T>, name: string, value: T): Beside => ({
  name,
  bytes: encode(codec, value),
})

/** Where values beside the ledger are read. */
export type BesideReader = {
  /** The value kept under a name; undefined when there is none. @throws CorruptStoreError */
  readBeside<T>(codec: Codec<T>, name: string): T | undefined
}
