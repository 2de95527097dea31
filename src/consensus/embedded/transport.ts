import type { Hex } from '#primitives'

/** Carries bytes between the validators of one process, asynchronously and in order per pair. */
export type Transport = {
  /** Joins under a name; the same name again takes over. */
  join(self: Hex, receive: (from: Hex, bytes: Uint8Array) => void): Link
  /** Nothing to or from this peer arrives any more. */
  cut(peer: Hex): void
  /** Ends a cut. */
  heal(peer: Hex): void
}

/** One validator's end. */
export type Link = {
  peers(): readonly Hex[]
  send(to: Hex, bytes: Uint8Array): void
  broadcast(bytes: Uint8Array): void
  leave(): void
}

/** Says whether a message is lost. For fault tests. */
export type DropRule = (from: Hex, to: Hex, bytes: Uint8Array) => boolean

/**
 * An in-memory network.
 *
 * @param defer - runs a delivery later; by default after pending I/O.
 */
export function createTransport(
  drops: DropRule = () => false,
  defer: (run: () => void) => void = setImmediate,
): Transport {
  const receivers = new Map<Hex, (from: Hex, bytes: Uint8Array) => void>()
  const cuts = new Set<Hex>()
  const isCut = (from: Hex, to: Hex) => cuts.has(from) || cuts.has(to)
  const deliver = (from: Hex, to: Hex, bytes: Uint8Array) => {
    const receive = receivers.get(to)
    if (!receive || isCut(from, to) || drops(from, to, bytes)) return
    defer(() => {
      if (receivers.get(to) === receive && !isCut(from, to)) receive(from, bytes)
    })
  }
  return {
    join(self, receive) {
      receivers.set(self, receive)
      const peers = () => [...receivers.keys()].filter((peer) => peer !== self)
      const isJoined = () => receivers.get(self) === receive
      return {
        peers,
        send: (to, bytes) => isJoined() && deliver(self, to, bytes),
        broadcast: (bytes) => isJoined() && peers().forEach((to) => void deliver(self, to, bytes)),
        leave: () => isJoined() && receivers.delete(self),
      }
    },
    cut: (peer) => void cuts.add(peer),
    heal: (peer) => void cuts.delete(peer),
  }
}
