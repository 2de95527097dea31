import { fromHex, type Hex, type Store, toHex } from '#primitives'

/** A store in memory: for tests and for simulations; nothing outlives the process. */
export function createMemoryStore(): Store {
  const rows = new Map<Hex, Uint8Array>()
  return {
    get: (key) => rows.get(toHex(key)),
    keys: (prefix, limit) =>
      [...rows.keys()]
        .filter((key) => key.startsWith(toHex(prefix)))
        .sort()
        .slice(0, limit)
        .map((key) => fromHex(key)),
    putBatch: (batch) => {
      for (const [key, value] of batch) {
        if (value) rows.set(toHex(key), value)
        else rows.delete(toHex(key))
      }
    },
    close: () => {},
  }
}
