import { decode } from '#records'
import type { Beside, BesideReader } from '../beside.ts'

/** Values beside a ledger, in memory. */
export type MemoryBesides = BesideReader & {
  /** Takes what a commit keeps. */
  put(news: readonly Beside[]): void
  /** Names of all that is kept. */
  names(): readonly string[]
}

export function createMemoryBesides(): MemoryBesides {
  const kept = new Map<string, Uint8Array>()
  return {
    readBeside(codec, name) {
      const bytes = kept.get(name)
      return bytes && decode(codec, bytes)
    },
    put(news) {
      for (const { name, bytes } of news) {
        if (bytes) kept.set(name, bytes)
        else kept.delete(name)
      }
    },
    names: () => [...kept.keys()],
  }
}
