/** What the outside world must supply. Everything below `node` gets these as arguments. */

/** Wall-clock time in milliseconds since the Unix epoch, and timers. */
export type Clock = {
  nowMs(): number
  /** Calls `run` once after `delayMs`; the result cancels it. */
  after(delayMs: number, run: () => void): () => void
}

/** Cryptographically secure random bytes. */
export type Rng = (length: number) => Uint8Array

/** Structured log. Never hand it a secret. */
export type Logger = {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** A key-value store; `putBatch` is atomic and durable when it returns. Keys are opaque bytes. */
export type Store = {
  get(key: Uint8Array): Uint8Array | undefined
  /** Keys that begin so, the smallest first; at most so many. */
  keys(prefix: Uint8Array, limit: number): readonly Uint8Array[]
  putBatch(rows: Iterable<readonly [key: Uint8Array, value: Uint8Array | undefined]>): void
  close(): void
}

/**
 * The files of one operator: what must survive a crash goes through it, so that a test can lose or
 * tear what was not synced. Paths are relative to the operator's folder, with `/`. Failures are
 * errors with the codes `DiskFull`, `DiskDenied` and `DiskFailed`; each names the file.
 */
export type Disk = {
  /** The path as people know it, for messages. */
  pathOf(path: string): string
  /** Opens a file; makes it when absent, durably once its folder is synced. */
  open(path: string): Promise<DiskFile>
  /** Puts a file in another's place, at once; durable once the folder is synced. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file that may be absent; durable once the folder is synced. */
  remove(path: string): Promise<void>
  /** Names in a folder, sorted; none when there is no such folder. */
  list(folder: string): Promise<readonly string[]>
  /** Makes a folder and those above it, durably. */
  makeFolder(folder: string): Promise<void>
  /** Makes names durable: what was made, renamed and removed in this folder. */
  syncFolder(folder: string): Promise<void>
  /**
   * Runs one commit of a database, which writes and syncs its file by itself: durable when `run`
   * returns or resolves.
   */
  commit<T>(file: string, run: () => T): T
}

/** An open file of a `Disk`. Offsets and lengths in bytes. */
export type DiskFile = {
  size(): Promise<number>
  /** Up to `length` bytes; fewer only where the file ends. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** Writes all bytes; durable once the file is synced. */
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** Cuts the file; durable once it is synced. */
  truncate(length: number): Promise<void>
  /**
   * Makes content and length durable (fdatasync). After a failure nothing is known about either.
   */
  sync(): Promise<void>
  close(): Promise<void>
}
