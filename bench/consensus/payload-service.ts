import { addressOfSecret, loadSecp256k1, type recoverAddressWith, type SignedDigest } from '#node'
import {
  concatBytes,
  fromHex,
  type Hex,
  keccak256,
  keccak256Hex,
  toHex,
  uint64Bytes,
  utf8,
  wei,
} from '#primitives'
import type { ReplicatedService } from '#protocol'
import { encodeTransaction, type TransactionResult } from '#records'

/** Bytes of one payload; the same as of a transaction that the peer is sent. */
export const payloadBytes = 250
const signatureBytes = 65

/** A network's only service. */
export const payloadSpec: ReplicatedService['spec'] = {
  ...{ name: 'payload', mode: 'replicated', rule: 'replicated', committee: 0, fee: wei(0n) },
  ...{ commitMs: 0, revealMs: 0, toleranceBps: 0, auditToleranceBps: undefined, requires: [] },
  consumer: `0x${'00'.repeat(20)}`,
}

/**
 * What a key-value store is to CometBFT, with the signature of a client: every payload is kept
 * under its digest. Its operators check each signature before a block, and keep each in the ledger.
 *
 * @param recoverAddress - who signed a digest.
 */
export const payloadService = (
  recoverAddress: ReturnType<typeof recoverAddressWith>,
): ReplicatedService => ({
  spec: payloadSpec,
  initial: (empty) => empty,
  check: (payload) => {
    if (payload.length !== payloadBytes) return { ok: false, reason: 'BadPayload' }
    const signer = recoverAddress(digestOf(payload), payload.subarray(0, signatureBytes))
    return signer === client ? { ok: true } : { ok: false, reason: 'BadSignature' }
  },
  begin: (_, __, calls) => concatBytes(...calls),
  end: (state, output) => {
    const results: TransactionResult[] = []
    let next = state
    for (let at = 0; at < output.length; at += payloadBytes) {
      const signature = output.subarray(at, at + signatureBytes)
      const content = output.slice(at + signatureBytes, at + payloadBytes)
      next = next.set(toHex(signature.subarray(0, 16)), content)
      results.push({ ok: true })
    }
    return { state: next, leaves: [], results }
  },
})

const digestOf = (payload: Uint8Array): Uint8Array => keccak256(payload.subarray(signatureBytes))

/** What a payload's key is recovered from; undefined of what is none. */
export const signedDigestOf = (payload: Uint8Array): SignedDigest | undefined =>
  payload.length === payloadBytes
    ? {
        digest: digestOf(payload),
        signature: payload.subarray(0, 64),
        recovery: (payload[64] as number) - 27,
      }
    : undefined

const { sign } = loadSecp256k1()
const secret = fromHex(keccak256Hex(utf8('payload bench client')))
const client: Hex = addressOfSecret(secret)

/** A signed transaction that no other place has; `place` counts. */
export function payloadTransaction(place: number): Uint8Array {
  const content = new Uint8Array(payloadBytes - signatureBytes)
  content.set(uint64Bytes(place))
  const signature = sign(keccak256(content), secret)
  const payload = concatBytes(signature, content)
  return encodeTransaction({ kind: 'call', service: payloadSpec.name, payload })
}

/** The same number of bytes for CometBFT's own key-value store: a key, `=`, a value. */
export function keyValueTransaction(place: number): Uint8Array {
  const key = String(place).padStart(16, '0')
  return utf8(`${key}=${'v'.repeat(payloadBytes - key.length - 1)}`)
}
