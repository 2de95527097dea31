import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { type Hex, type Rng, toHex, vrfPublicKey } from '#primitives'
import { addressOfPublicKey } from './recover.ts'

/** One operator's secrets, one a purpose. The threshold share joins them after key generation. */
export type OperatorSecrets = {
  /** secp256k1: signs reports. */
  readonly ledgerSecret: Uint8Array
  /** secp256k1: signs L1 transactions. */
  readonly l1Secret: Uint8Array
  /** ed25519: signs consensus votes. */
  readonly consensusSecret: KeyObject
  /** Edwards25519: proves randomness. */
  readonly vrfSecret: Uint8Array
  /** Threshold nonces derive from it. */
  readonly nonceSeed: Hex
  /** Salts of results derive from it. */
  readonly saltSecret: Uint8Array
}

/** The public halves, as the genesis holds them. */
export type OperatorIdentity = {
  readonly ledgerAddress: Hex
  readonly l1Account: Hex
  readonly consensusKey: Hex
  readonly vrfKey: Hex
}

/** Fresh secrets for one operator. */
export const generateSecrets = (rng: Rng): OperatorSecrets => ({
  ledgerSecret: secp256k1.utils.randomSecretKey(rng(48)),
  l1Secret: secp256k1.utils.randomSecretKey(rng(48)),
  consensusSecret: generateKeyPairSync('ed25519').privateKey,
  vrfSecret: rng(32),
  nonceSeed: toHex(rng(32)),
  saltSecret: rng(32),
})

export const identityOf = (secrets: OperatorSecrets): OperatorIdentity => ({
  ledgerAddress: addressOfSecret(secrets.ledgerSecret),
  l1Account: addressOfSecret(secrets.l1Secret),
  consensusKey: ed25519Key(secrets.consensusSecret),
  vrfKey: toHex(vrfPublicKey(secrets.vrfSecret)),
})

/** Address of a secp256k1 secret. */
export const addressOfSecret = (secret: Uint8Array): Hex =>
  addressOfPublicKey(secp256k1.getPublicKey(secret, false).subarray(1))

function ed25519Key(secret: KeyObject): Hex {
  const { x } = createPublicKey(secret).export({ format: 'jwk' })
  return toHex(Buffer.from(x ?? '', 'base64url'))
}
