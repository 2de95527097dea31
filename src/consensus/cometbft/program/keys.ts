import { hkdfSync } from 'node:crypto'
import { concatBytes, type Hex, toHex, utf8 } from '#primitives'
import { ed25519Pair } from '../../ed25519.ts'
import { validatorAddress } from '../../light/index.ts'

/** An ed25519 key pair in CometBFT's forms. */
type KeyPair = {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Seed and public key, 64 bytes, as Go keeps them. */
  readonly privateKey: Uint8Array
}

/**
 * The id by which peers know an operator's node: 40 hexadecimal digits. Its key derives from the
 * consensus seed, so that an operator has one secret less to keep, and never is that seed's own.
 *
 * @param consensusSeed - ed25519 seed, 32 bytes.
 */
export const nodeIdOf = (consensusSeed: Uint8Array): string =>
  validatorAddress(publicKeyOf(nodeSeedOf(consensusSeed))).slice(2)

/** `node_key.json` of the node's own seed, 32 bytes. */
export const nodeKeyJson = (nodeSeed: Uint8Array): string =>
  toJson({ priv_key: privateKeyOf(keyPairOf(nodeSeed)) })

/** `priv_validator_key.json`. */
export function validatorKeyJson(consensusSeed: Uint8Array): string {
  const pair = keyPairOf(consensusSeed)
  return toJson({
    address: addressText(pair.publicKey),
    pub_key: publicKeyJson(pair.publicKey),
    priv_key: privateKeyOf(pair),
  })
}

/** An ed25519 public key as CometBFT's JSON has it. */
export const publicKeyJson = (publicKey: Uint8Array) => ({
  type: 'tendermint/PubKeyEd25519',
  value: base64(publicKey),
})

/** The public key of a seed, 32 bytes. */
export const publicKeyOf = (seed: Uint8Array): Hex => toHex(keyPairOf(seed).publicKey)

/** An address as CometBFT's JSON has it: upper-case, without 0x. */
export const addressText = (publicKey: Uint8Array): string =>
  validatorAddress(toHex(publicKey)).slice(2).toUpperCase()

const privateKeyOf = ({ privateKey }: KeyPair) => ({
  type: 'tendermint/PrivKeyEd25519',
  value: base64(privateKey),
})

/** A node's seed, from its validator's: HKDF-SHA-256 of RFC 5869, under a name of its own. */
export const nodeSeedOf = (consensusSeed: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', consensusSeed, '', utf8('NodeOP node key'), 32))

function keyPairOf(seed: Uint8Array): KeyPair {
  const { publicKey } = ed25519Pair(seed)
  return { publicKey, privateKey: concatBytes(seed, publicKey) }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const toJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
