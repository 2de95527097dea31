import { create } from '@bufbuild/protobuf'
import { fromHex, type Hex, toHex } from '#primitives'
import type { Validator } from '#records'
import { validatorAddress } from '../light/index.ts'
import { type ValidatorUpdate, ValidatorUpdateSchema } from './messages/abci_pb.ts'
import type { PublicKey } from './messages/keys_pb.ts'

/** Finds consensus keys by the addresses that CometBFT calls validators by. */
export class KeyFinder {
  readonly #addresses = new Map<Hex, Hex>()

  /** The one of these keys that has the address; undefined when none has. */
  find(address: Hex, keys: Iterable<Hex>): Hex | undefined {
    for (const key of keys) if (this.#addressOf(key) === address) return key
    return undefined
  }

  #addressOf(key: Hex): Hex {
    const known = this.#addresses.get(key)
    if (known !== undefined) return known
    const address = validatorAddress(key)
    this.#addresses.set(key, address)
    return address
  }
}

/** A change of a validator, as CometBFT reads it. */
export const toUpdate = ({ consensusKey, power }: Validator): ValidatorUpdate =>
  create(ValidatorUpdateSchema, {
    pubKey: { sum: { case: 'ed25519', value: fromHex(consensusKey) } },
    power,
  })

/** The key, when it is of the kind that ours are. */
export const ed25519KeyOf = (key: PublicKey | undefined): Hex | undefined =>
  key?.sum.case === 'ed25519' ? toHex(key.sum.value) : undefined
