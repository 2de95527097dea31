import { DomainError, fromHex, type Hex } from '#primitives'
import {
  type Codec,
  decode,
  encode,
  fixedHex,
  list,
  maxOperators,
  type OperatorId,
  record,
  uint16,
} from '#records'
import type { VerifyingShares } from './judges.ts'
import { identifierOf } from './suite.ts'

/** What one operator holds after key generation. `secretShare` never leaves its keystore. */
export type KeyPackage = {
  readonly operator: OperatorId
  /** 32-byte scalar. Secret. */
  readonly secretShare: Hex
  /** Its public half: what its shares are judged by. */
  readonly verifyingShare: Hex
  /** The group's public key, a compressed point. */
  readonly groupKey: Hex
  /** Signers needed. */
  readonly threshold: number
  /** Of all operators, by id. */
  readonly verifyingShares: VerifyingShares
}

/** Signers needed of n operators: more than two thirds. */
export const thresholdFor = (operators: number): number => Math.floor((2 * operators) / 3) + 1

/** A key package as bytes, for the keystore to seal. */
export const encodeKeyPackage = (key: KeyPackage): Uint8Array =>
  encode(keyFileCodec, {
    ...key,
    verifyingShares: [...key.verifyingShares]
      .map(([operator, share]) => ({ operator, share }))
      .sort((a, b) => a.operator - b.operator),
  })

/** Reads what `encodeKeyPackage` wrote; throws CodecError when it is anything else. */
export function decodeKeyPackage(bytes: Uint8Array): KeyPackage {
  const file = decode(keyFileCodec, bytes)
  const shares = file.verifyingShares.map(({ operator, share }) => [operator, share] as const)
  return { ...file, verifyingShares: new Map(shares) }
}

type KeyFile = Omit<KeyPackage, 'verifyingShares'> & {
  readonly verifyingShares: readonly { readonly operator: OperatorId; readonly share: Hex }[]
}

const keyFileCodec: Codec<KeyFile> = record({
  operator: uint16,
  secretShare: fixedHex(32),
  verifyingShare: fixedHex(33),
  groupKey: fixedHex(33),
  threshold: uint16,
  verifyingShares: list(record({ operator: uint16, share: fixedHex(33) }), maxOperators),
})

/** The package's secret as noble takes it. */
export const frostSecret = (key: KeyPackage) => ({
  identifier: identifierOf(key.operator),
  signingShare: fromHex(key.secretShare, 32),
})

/**
 * Checks who takes part in a key: 2 ≤ threshold ≤ operators ≤ 200, ids distinct and from 1 up.
 *
 * @throws CommitteeError otherwise.
 */
export function checkCommittee(operators: readonly OperatorId[], threshold: number): void {
  const isId = (id: number) => Number.isSafeInteger(id) && id >= 1 && id <= 0xffff
  if (!operators.every(isId) || new Set(operators).size !== operators.length)
    throw new CommitteeError('ids must be distinct, from 1 to 65535', { operators, threshold })
  if (!Number.isSafeInteger(threshold) || threshold < 2 || threshold > operators.length)
    throw new CommitteeError('a threshold lies between 2 and all', { operators, threshold })
  if (operators.length > maxOperators)
    throw new CommitteeError(`at most ${maxOperators} operators`, { operators, threshold })
}

/** Operators and threshold that no group key can be made for. */
export class CommitteeError extends DomainError<
  'BadCommittee',
  { operators: readonly OperatorId[]; threshold: number }
> {
  override readonly code = 'BadCommittee'
}
