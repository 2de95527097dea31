import { createSigner } from '#consensus'
import { assert, type Hex, type Rng, toHex, vrfPublicKey } from '#primitives'
import { addressOfPublicKey, loadSecp256k1 } from './recover.ts'

/** One operator's secrets, one a purpose. The threshold share joins them after key generation. */
export type OperatorSecrets = {
  /** secp256k1: signs reports. */
  readonly ledgerSecret: Uint8Array
  /** secp256k1: signs L1 transactions. */
  readonly l1Secret: Uint8Array
  /** ed25519 seed: signs consensus votes. */
  readonly consensusSeed: Uint8Array
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
  ledgerSecret: freshSecret(rng),
  l1Secret: freshSecret(rng),
  consensusSeed: rng(32),
  vrfSecret: rng(32),
  nonceSeed: toHex(rng(32)),
  saltSecret: rng(32),
})

/** The public halves of an operator's secrets. */
export const identityOf = (secrets: OperatorSecrets): OperatorIdentity => ({
  ledgerAddress: addressOfSecret(secrets.ledgerSecret),
  l1Account: addressOfSecret(secrets.l1Secret),
  consensusKey: createSigner(secrets.consensusSeed).publicKey,
  vrfKey: toHex(vrfPublicKey(secrets.vrfSecret)),
})

/** Address of a secp256k1 secret. */
export function addressOfSecret(secret: Uint8Array): Hex {
  const publicKey = publicKeyOf(secret)
  assert(publicKey, 'a secp256k1 secret is between 1 and the order')
  return addressOfPublicKey(publicKey)
}

const { publicKeyOf } = loadSecp256k1()

/** 32 random bytes that are a secret: all but about one in 2^128 are. */
function freshSecret(rng: Rng): Uint8Array {
  for (;;) {
    const secret = rng(32)
    if (publicKeyOf(secret)) return secret
  }
}
