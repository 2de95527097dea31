import { concatBytes, fromHex, type Hex, sha256, toHex } from '#primitives'
import type { Validator } from '#records'
import { merkleRoot } from './merkle-root.ts'
import { bytesField, messageField, varintField } from './protobuf.ts'

/**
 * The hash of a validator set: the Merkle root over keys and powers, the most powerful first,
 * equals by address. So the order in which a set is given does not matter.
 *
 * @see CometBFT specification, core/data_structures, Validator
 */
export function validatorSetHash(validators: readonly Validator[]): Hex {
  const sorted = validators
    .map((validator) => ({ ...validator, address: validatorAddress(validator.consensusKey) }))
    .sort((a, b) =>
      a.power === b.power ? compare(a.address, b.address) : compare(b.power, a.power),
    )
  return toHex(merkleRoot(sorted.map(simpleValidator)))
}

/** The address of an ed25519 key, of a validator or a node: the first 20 bytes of its SHA-256. */
export const validatorAddress = (consensusKey: Hex): Hex =>
  toHex(sha256(fromHex(consensusKey, 32)).subarray(0, 20))

const simpleValidator = ({ consensusKey, power }: Validator): Uint8Array =>
  concatBytes(messageField(1, bytesField(1, fromHex(consensusKey, 32))), varintField(2, power))

const compare = <Value extends bigint | string>(a: Value, b: Value): number => (a < b ? -1 : 1)
