import { hash } from 'node:crypto'
import { createKeccak } from 'hash-wasm'
import type { Hashes } from '#primitives'

const keccak = await createKeccak(256)

/**
 * The hashes as Node and WebAssembly have them: for the short inputs of a ledger several times as
 * fast as plain JavaScript.
 */
export const ownHashes: Hashes = {
  sha256: (bytes) => digest('sha256', bytes, 32),
  sha512: (bytes) => digest('sha512', bytes, 64),
  keccak256: (bytes) => keccak.init().update(bytes).digest('binary'),
}

/** By way of a text of a character a byte: Node takes longer to make a Buffer than to hash. */
function digest(algorithm: string, bytes: Uint8Array, length: number): Uint8Array {
  const text = hash(algorithm, bytes, 'binary')
  const output = new Uint8Array(length)
  for (let i = 0; i < length; i++) output[i] = text.charCodeAt(i)
  return output
}
