import { type Disk, DomainError, fromHex, type Hex, toHex } from '#primitives'
import { byteList, type Codec, decode, encode, fixedHex, record, text } from '#records'
import { decodeKeyPackage, encodeKeyPackage, type KeyPackage } from '#threshold'
import type { OperatorSecrets } from './keys.ts'
import { seal, unseal } from './sealed-file.ts'
import { loadFile, saveFile } from './whole-file.ts'

/** All that only one operator knows. */
export type OperatorKeys = {
  readonly name: string
  readonly secrets: OperatorSecrets
  /** Its share of the group key. */
  readonly key: KeyPackage
}

/** In an operator's folder: its keys in plain bytes, readable by the file's owner alone. */
export const operatorKeysFile = 'operator.keys'

/** First line of that file; its number goes up whenever what follows changes. */
const heading = 'NodeOP operator 1'

/** Keeps an operator's keys, durably. */
export async function saveOperatorKeys(disk: Disk, keys: OperatorKeys): Promise<void> {
  await saveFile(disk, operatorKeysFile, seal(heading, encode(operatorKeysCodec, keys)))
}

/** @throws OperatorKeysError when there are none, or they cannot be read. */
export async function loadOperatorKeys(disk: Disk): Promise<OperatorKeys> {
  const path = disk.pathOf(operatorKeysFile)
  const fail = (fault: string, cause?: unknown) =>
    new OperatorKeysError(`${path} ${fault}: restore it from a copy`, { path }, cause)
  const bytes = await loadFile(disk, operatorKeysFile)
  if (!bytes) throw fail('is missing')
  const sealed = unseal(bytes)
  if (sealed.heading !== heading) throw fail(`does not begin with "${heading}"`)
  if (!sealed.body) throw fail('has a wrong checksum')
  try {
    return decode(operatorKeysCodec, sealed.body)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    throw fail('cannot be read', error)
  }
}

type Stored = Readonly<Record<keyof OperatorSecrets, Hex>> & {
  readonly name: string
  /** As the threshold room writes it. */
  readonly key: Uint8Array
}

const storedCodec: Codec<Stored> = record({
  name: text(64),
  ledgerSecret: fixedHex(32),
  l1Secret: fixedHex(32),
  consensusSeed: fixedHex(32),
  vrfSecret: fixedHex(32),
  nonceSeed: fixedHex(32),
  saltSecret: fixedHex(32),
  key: byteList(2 ** 16),
})

const toStored = ({ name, secrets, key }: OperatorKeys): Stored => ({
  name,
  ledgerSecret: toHex(secrets.ledgerSecret),
  l1Secret: toHex(secrets.l1Secret),
  consensusSeed: toHex(secrets.consensusSeed),
  vrfSecret: toHex(secrets.vrfSecret),
  nonceSeed: secrets.nonceSeed,
  saltSecret: toHex(secrets.saltSecret),
  key: encodeKeyPackage(key),
})

const fromStored = ({ name, key, ...hex }: Stored): OperatorKeys => ({
  name,
  key: decodeKeyPackage(key),
  secrets: {
    ledgerSecret: fromHex(hex.ledgerSecret),
    l1Secret: fromHex(hex.l1Secret),
    consensusSeed: fromHex(hex.consensusSeed),
    vrfSecret: fromHex(hex.vrfSecret),
    nonceSeed: hex.nonceSeed,
    saltSecret: fromHex(hex.saltSecret),
  },
})

/** An operator's keys as files hold them. */
export const operatorKeysCodec: Codec<OperatorKeys> = {
  ssz: storedCodec.ssz,
  toSsz: (keys) => storedCodec.toSsz(toStored(keys)),
  fromSsz: (value) => fromStored(storedCodec.fromSsz(value)),
}

/** An operator's keys are missing, damaged, or written by another version. */
export class OperatorKeysError extends DomainError<'OperatorKeys', { readonly path: string }> {
  override readonly code = 'OperatorKeys'
}
