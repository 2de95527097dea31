import { hash } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { fromHex, type Hex, toHex } from '#primitives'
import type { Validator } from '#records'
import { type ValidatorUpdate, ValidatorUpdateSchema } from './messages/abci_pb.ts'
import type { PublicKey } from './messages/keys_pb.ts'

/** Bytes of an address: the first of the SHA-256 of an ed25519 public key. */
const addressBytes = 20

/** Finds consensus keys by the addresses that CometBFT calls validators by. */
export class KeyFinder {
  readonly #addresses = new Map<Hex, Hex>()

  /** The one of these keys that has the address; undefined when none has. */
  find(address: Uint8Array, keys: Iterable<Hex>): Hex | undefined {
    const wanted = toHex(address)
    for (const key of keys) if (this.#addressOf(key) === wanted) return key
    return undefined
  }

  #addressOf(key: Hex): Hex {
    const known = this.#addresses.get(key)
    if (known !== undefined) return known
    const address = addressOf(key)
    this.#addresses.set(key, address)
    return address
  }
}

/** What CometBFT calls the owner of an ed25519 key. */
export const addressOf = (key: Hex): Hex =>
  toHex(hash('sha256', fromHex(key), 'buffer').subarray(0, addressBytes))

/** A change of a validator, as CometBFT reads it. */
export const toUpdate = ({ consensusKey, power }: Validator): ValidatorUpdate =>
  create(ValidatorUpdateSchema, {
    pubKey: { sum: { case: 'ed25519', value: fromHex(consensusKey) } },
    power,
  })

/** The key, when it is of the kind that ours are. */
export const ed25519KeyOf = (key: PublicKey | undefined): Hex | undefined =>
  key?.sum.case === 'ed25519' ? toHex(key.sum.value) : undefined
