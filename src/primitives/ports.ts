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
  putBatch(rows: Iterable<readonly [key: Uint8Array, value: Uint8Array | undefined]>): void
  close(): void
}
