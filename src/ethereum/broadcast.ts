import type { Hex } from '#primitives'
import { isUnreachable, type L1Client, rpcMessage } from './client.ts'

/** What a node did with a signed transaction. */
export type Broadcast =
  /** It has it now, or had it before. */
  | { readonly kind: 'accepted' }
  /** It did not answer: it may have it. */
  | { readonly kind: 'unknown'; readonly message: string }
  /** The nonce is used up: by this transaction, one it replaces, or a stranger's. */
  | { readonly kind: 'nonce-used' }
  /** It has another of this nonce, and the raise is too small. */
  | { readonly kind: 'underpriced' }
  /** The block's base fee is above what is offered. */
  | { readonly kind: 'below-base-fee' }
  /** The account cannot pay for it. */
  | { readonly kind: 'no-funds' }
  | { readonly kind: 'rejected'; readonly message: string }

/** Hands a signed transaction to the node. Never throws. */
export async function broadcast(client: L1Client, raw: Hex): Promise<Broadcast> {
  try {
    await client.request({ method: 'eth_sendRawTransaction', params: [raw] })
    return { kind: 'accepted' }
  } catch (error) {
    const message = rpcMessage(error)
    return isUnreachable(error) ? { kind: 'unknown', message } : classify(message)
  }
}

/**
 * Nodes agree on no error codes for these, only more or less on words.
 *
 * @param message - the node's own words (geth, reth, nethermind, anvil).
 */
export function classify(message: string): Broadcast {
  const known = patterns.find(([pattern]) => pattern.test(message))
  return known ? { kind: known[1] } : { kind: 'rejected', message }
}

const patterns = [
  [/already (known|imported)|known transaction|alreadyknown/i, 'accepted'],
  [/nonce (is )?too low|nonce.*already used|old ?nonce/i, 'nonce-used'],
  [/(replacement|transaction).*underpriced|fee too low to (replace|compete)/i, 'underpriced'],
  [/(less than|below|lower than).*base ?fee|feetoolow/i, 'below-base-fee'],
  [/insufficient ?(funds|balance)/i, 'no-funds'],
] as const
