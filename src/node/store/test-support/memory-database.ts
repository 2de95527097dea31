import { assert } from '#primitives'
import type { DatabaseChanges, LedgerDatabase } from '../database.ts'

/** What a disk holds after a commit. */
export type Snapshot = {
  readonly nodes: ReadonlyMap<number, Uint8Array>
  readonly values: ReadonlyMap<string, Uint8Array>
}

/** A database in memory that remembers every commit, and whose next commit can fail. */
export type MemoryDatabase = LedgerDatabase & {
  readonly nodes: Map<number, Uint8Array>
  readonly values: Map<string, Uint8Array>
  /** The state after each commit, oldest first. */
  readonly snapshots: readonly Snapshot[]
  /** The next commit writes nothing and throws this. */
  failNext(error: Error): void
}

/** @param from - what an earlier process left. */
export function createMemoryDatabase(from?: Snapshot): MemoryDatabase {
  const nodes = new Map(from?.nodes)
  const values = new Map(from?.values)
  const snapshots: Snapshot[] = []
  let failure: Error | undefined
  const commit = (changes: DatabaseChanges) => {
    if (failure) throw failure
    for (const { id, bytes } of changes.nodes) {
      assert(!nodes.has(id), 'ids are new')
      nodes.set(id, bytes)
    }
    for (const id of changes.dropped) assert(nodes.delete(id), 'what is dropped was there')
    for (const [name, bytes] of changes.values) {
      if (bytes === undefined) values.delete(name)
      else values.set(name, bytes)
    }
    snapshots.push({ nodes: new Map(nodes), values: new Map(values) })
  }
  return {
    file: 'memory/ledger.db',
    nodes,
    values,
    snapshots,
    node: (id) => nodes.get(id)?.slice(),
    lastNode: () => Math.max(0, ...nodes.keys()),
    value: (name) => values.get(name)?.slice(),
    commit,
    copyTo: () => Promise.reject(new Error('defect: memory has no files')),
    close: () => {},
    failNext: (error) => {
      failure = error
    },
  }
}
