import { hash } from 'node:crypto'
import type { Verdict } from '#records'

/**
 * Calls that have passed their service's stateless check, so that a proposal and its block need not
 * check again what was checked on arrival. Which ones are remembered changes no result.
 */
export type PassedCalls = {
  /** What the check says, asked only about calls that are not known to pass it. */
  readonly judge: (service: string, payload: Uint8Array, check: () => Verdict) => Verdict
  /** Remembers a call that has passed elsewhere. */
  readonly add: (service: string, payload: Uint8Array) => void
}

/** Calls remembered: several full blocks of small ones. */
const maxPassed = 16_384

/** Remembers by SHA-256; two sets take turns, so that forgetting costs nothing. */
export function createPassedCalls(limit: number = maxPassed): PassedCalls {
  let newer = new Set<string>()
  let older = new Set<string>()
  const remember = (name: string): void => {
    newer.add(name)
    if (newer.size * 2 < limit) return
    older = newer
    newer = new Set()
  }
  return {
    judge: (service, payload, check) => {
      const name = nameOf(service, payload)
      if (newer.has(name) || older.has(name)) return { ok: true }
      const verdict = check()
      if (verdict.ok) remember(name)
      return verdict
    },
    add: (service, payload) => remember(nameOf(service, payload)),
  }
}

const nameOf = (service: string, payload: Uint8Array): string =>
  hash('sha256', payload, 'binary') + service
