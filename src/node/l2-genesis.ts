import { type L2Genesis, readL2Genesis } from '#services/sequencer'

/** By the bytes themselves, which every part of every operator in a process shares. */
const known = new WeakMap<Uint8Array, L2Genesis>()

/**
 * The L2 genesis of bytes, read once: with many accounts it takes its time, and several parts need
 * it at each start.
 *
 * @throws L2GenesisError
 */
export function l2GenesisOf(bytes: Uint8Array): L2Genesis {
  const chain = known.get(bytes) ?? readL2Genesis(bytes)
  known.set(bytes, chain)
  return chain
}
