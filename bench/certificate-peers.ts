import { bn254 } from '@noble/curves/bn254.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { privateKeyToAddress } from 'viem/accounts'
import {
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  fromHex,
  type Hex,
  keccak256,
  keccak256Hex,
  toHex,
  utf8,
} from '#primitives'
import { hasZero, thresholdOf } from './frost-group.ts'

/** n operators with a key each, k = ⌊2n/3⌋+1 of whom sign one by one. */
export type MultisigGroup = {
  readonly signers: readonly Hex[]
  readonly threshold: number
  /** k signatures of 65 bytes, sorted by signer, r and s without zero bytes. */
  sign(message: Hex): Hex
}

/** Derives n keys. */
export function createMultisigGroup(n: number): MultisigGroup {
  const keys = Array.from({ length: n }, (_, i) => keccak256(utf8(`multisig signer ${i}`)))
  const members = keys.map((key) => ({ key, address: privateKeyToAddress(toHex(key)) }))
  const threshold = thresholdOf(n)
  const signing = members
    .slice(0, threshold)
    .sort((a, b) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1))
  const sign = (message: Hex) =>
    toHex(concatBytes(...signing.map(({ key }) => signEcdsa(fromHex(message, 32), key))))
  return { signers: members.map(({ address }) => address), threshold, sign }
}

/** r ‖ s ‖ v; tries other nonces until r and s have no zero byte. */
function signEcdsa(message: Uint8Array, key: Uint8Array): Uint8Array {
  for (let attempt = 0n; ; attempt++) {
    const extraEntropy = bigintToBytes(attempt, 32)
    const options = { prehash: false, format: 'recovered', extraEntropy } as const
    const signature = secp256k1.sign(message, key, options)
    const rs = signature.slice(1)
    if (!hasZero(rs)) return concatBytes(rs, Uint8Array.of(27 + (signature[0] ?? 0)))
  }
}

/** n operators whose BN254 signatures and keys are added up. */
export type Bn254Group = {
  /** The aggregated key in G2 as the pairing precompile takes it: imaginary parts first. */
  readonly key: readonly [bigint, bigint, bigint, bigint]
  sign(message: Hex): { readonly x: bigint; readonly y: bigint }
}

/** Derives n keys and adds them up. */
export function createBn254Group(n: number): Bn254Group {
  const { G1, G2, fields } = bn254
  const secrets = Array.from(
    { length: n },
    (_, i) => bytesToBigint(keccak256(utf8(`aggregate signer ${i}`))) % fields.Fr.ORDER,
  )
  const publicKeys = secrets.map((secret) => G2.Point.BASE.multiply(secret))
  const { x, y } = publicKeys.reduce((sum, key) => sum.add(key)).toAffine()
  const sign = (message: Hex) => {
    const point = G1.Point.fromAffine(hashToPoint(message))
    const signatures = secrets.map((secret) => point.multiply(secret))
    return signatures.reduce((sum, signature) => sum.add(signature)).toAffine()
  }
  return { key: [x.c1, x.c0, y.c1, y.c0], sign }
}

/** A message whose first candidate is on the curve: the cheapest case of try-and-increment. */
export function easyBn254Message(): Hex {
  const { Fp } = bn254.fields
  for (let i = 0; ; i++) {
    const message = keccak256Hex(utf8(`message ${i}`))
    const x = Fp.create(BigInt(message))
    if (Fp.create(hashToPoint(message).x) === x) return message
  }
}

/** As `Bn254Verifier.hashToPoint`. */
function hashToPoint(message: Hex): { x: bigint; y: bigint } {
  const { Fp } = bn254.fields
  for (let x = Fp.create(BigInt(message)); ; x = Fp.add(x, 1n)) {
    const square = Fp.add(Fp.pow(x, 3n), 3n)
    const y = Fp.pow(square, (Fp.ORDER + 1n) / 4n)
    if (Fp.eql(Fp.sqr(y), square)) return { x, y }
  }
}
