import type { NodeRow } from '#primitives'

/** What one commit writes: all of it, or nothing. */
export type DatabaseChanges = {
  /** New nodes, in ascending order of id, above every id that has been. */
  readonly nodes: readonly NodeRow[]
  /** Ids of nodes that nobody reads any more. */
  readonly dropped: readonly number[]
  /** Single values by name; undefined takes one away. */
  readonly values: ReadonlyMap<string, Uint8Array | undefined>
}

/**
 * Where a ledger store keeps its rows: one writer, transactions. It promises nothing about what a
 * damaged disk gives back; its caller checks every byte.
 */
export type LedgerDatabase = {
  /** Its file, for messages. */
  readonly file: string
  node(id: number): Uint8Array | undefined
  /** Highest id of a node; 0 when there is none. */
  lastNode(): number
  value(name: string): Uint8Array | undefined
  /** Atomic, and durable when it returns. */
  commit(changes: DatabaseChanges): void
  /** Writes all that is committed into a new file, while commits go on. */
  copyTo(file: string): Promise<void>
  close(): void
}
