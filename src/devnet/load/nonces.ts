/** What a sender knows of its own nonces. A hole is a nonce whose transaction was refused. */
export type Nonces = { readonly next: number; readonly holes: readonly number[] }

/** A sender whose next nonce is the chain's. */
export const noncesFrom = (next: number): Nonces => ({ next, holes: [] })

/** The nonce to use now: the lowest hole, since everything above it waits for it, else the next. */
export function takeNonce({ next, holes }: Nonces): {
  readonly nonce: number
  readonly nonces: Nonces
} {
  const [nonce, ...rest] = holes
  return nonce === undefined
    ? { nonce: next, nonces: { next: next + 1, holes } }
    : { nonce, nonces: { next, holes: rest } }
}

/** Gives a nonce back that no transaction has used. */
export const giveBack = ({ next, holes }: Nonces, nonce: number): Nonces =>
  nonce === next - 1 && holes.length === 0
    ? { next: nonce, holes }
    : { next, holes: [...holes, nonce].sort((a, b) => a - b) }

/** Forgets what the chain says is used already: everything below `pending`. */
export const skipUsed = ({ next, holes }: Nonces, pending: number): Nonces => ({
  next: Math.max(next, pending),
  holes: holes.filter((hole) => hole >= pending),
})
