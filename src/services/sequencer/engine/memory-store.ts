import { type Store, toHex } from '#primitives'

/** A store in memory: for tests and for simulations; nothing outlives the process. */
export function createMemoryStore(): Store {
  const rows = new Map<string, Uint8Array>()
  return {
    get: (key) => rows.get(toHex(key)),
    putBatch: (batch) => {
      for (const [key, value] of batch) {
        if (value) rows.set(toHex(key), value)
        else rows.delete(toHex(key))
      }
    },
    close: () => {},
  }
}
