import { hash } from 'node:crypto'

/**
 * Calls that have passed their service's stateless check, so that a proposal and its block need not
 * check again what was checked on arrival. Which ones are remembered changes no result.
 */
export type PassedCalls = {
  readonly has: (service: string, payload: Uint8Array) => boolean
  readonly add: (service: string, payload: Uint8Array) => void
}

/** Calls remembered: several full blocks of small ones. */
const maxPassed = 16_384

/** Remembers by SHA-256; two sets take turns, so that forgetting costs nothing. */
export function createPassedCalls(limit: number = maxPassed): PassedCalls {
  let newer = new Set<string>()
  let older = new Set<string>()
  return {
    has: (service, payload) => {
      const name = nameOf(service, payload)
      return newer.has(name) || older.has(name)
    },
    add: (service, payload) => {
      newer.add(nameOf(service, payload))
      if (newer.size * 2 < limit) return
      older = newer
      newer = new Set()
    },
  }
}

const nameOf = (service: string, payload: Uint8Array): string =>
  `${service}/${hash('sha256', payload, 'base64')}`
