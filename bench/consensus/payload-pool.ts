import { hash } from 'node:crypto'
import type { CallPool, RecoverPublicKey, RecoverThread } from '#node'
import type { Environment } from '#protocol'
import type { Verdict } from '#records'
import { payloadSpec, signedDigestOf } from './payload-service.ts'

/** Most payloads that wait. */
const maxWaiting = 20_000

/** What a pool of payloads is made of. */
export type PayloadPoolOptions = {
  readonly environment: Environment
  /** Recovers keys on arrival, as that of the sequencer's pool does. */
  readonly thread: RecoverThread
  readonly withKey: WithKey
}

/** Runs a check, which finds this key instead of recovering it. */
type WithKey = (key: Uint8Array | undefined, check: () => Verdict) => Verdict

/**
 * A service checks a payload at once; of one whose key was recovered beforehand, in another thread,
 * it is to check the rest.
 */
export function keysAhead(recover: RecoverPublicKey) {
  let ahead: { readonly key: Uint8Array | undefined } | undefined
  const recoverAhead: RecoverPublicKey = (...signed) => (ahead ? ahead.key : recover(...signed))
  const withKey: WithKey = (key, check) => {
    ahead = { key }
    try {
      return check()
    } finally {
      ahead = undefined
    }
  }
  return { recoverAhead, withKey }
}

const nameOf = (payload: Uint8Array): string => hash('sha256', payload, 'base64')

/** Payloads in the order in which they came, each once: a peer may hand one over late. */
export function createPayloadPool({ environment, thread, withKey }: PayloadPoolOptions): CallPool {
  const service = environment.services.get(payloadSpec.name)
  const waiting = new Map<string, Uint8Array>()
  const included = new Set<string>()
  let bytes = 0
  const refusalOf = (name: string): Verdict | undefined => {
    if (waiting.has(name)) return { ok: false, reason: 'AlreadyKnown' }
    if (included.has(name)) return { ok: false, reason: 'NoLongerWaiting' }
    return waiting.size < maxWaiting ? undefined : { ok: false, reason: 'MempoolFull' }
  }
  return {
    admit: async (payload) => {
      const name = nameOf(payload)
      const early = refusalOf(name)
      if (early) return early
      const signed = signedDigestOf(payload)
      const key = signed && (await thread.recover(signed))
      const verdict = withKey(
        key,
        () => service?.check(payload) ?? { ok: false, reason: 'UnknownService' },
      )
      if (!verdict.ok) return verdict
      const late = refusalOf(name) // it may have come twice meanwhile, or been in a block
      if (late) return late
      waiting.set(name, payload)
      bytes += payload.length
      return { ok: true }
    },
    has: (payload) => waiting.has(nameOf(payload)),
    take: (maxBytes) => {
      const taken: Uint8Array[] = []
      let room = maxBytes
      for (const payload of waiting.values()) {
        room -= payload.length
        if (room < 0) break
        taken.push(payload)
      }
      return taken
    },
    committed: (payloads) => {
      for (const payload of payloads) {
        const name = nameOf(payload)
        included.add(name)
        if (waiting.delete(name)) bytes -= payload.length
      }
    },
    executable: () => waiting.size,
    bytes: () => bytes,
  }
}
