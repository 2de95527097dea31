// A network in which two may answer to one name, as two machines that hold one operator's keys do.
import type { Transport } from '#consensus'
import type { Hex } from '#primitives'

type Member = {
  readonly name: Hex
  readonly receive: (from: Hex, bytes: Uint8Array) => void
}

/** Carries bytes to all who have joined under a name, but not back to who has sent them. */
export function createOpenTransport(): Transport {
  const members = new Set<Member>()
  const cuts = new Set<Hex>()
  const send = (from: Member, to: Hex, bytes: Uint8Array) => {
    for (const member of members) {
      if (member === from || member.name !== to || cuts.has(from.name) || cuts.has(to)) continue
      setImmediate(() => members.has(member) && member.receive(from.name, bytes))
    }
  }
  return {
    join(name, receive) {
      const self = { name, receive }
      members.add(self)
      const namesOf = (all: Iterable<Member>) => [...new Set([...all].map((one) => one.name))]
      const peers = () => namesOf([...members].filter((one) => one !== self))
      return {
        peers,
        send: (to, bytes) => members.has(self) && send(self, to, bytes),
        broadcast: (bytes) => {
          if (members.has(self)) for (const to of peers()) send(self, to, bytes)
        },
        leave: () => members.delete(self),
      }
    },
    cut: (peer) => void cuts.add(peer),
    heal: (peer) => void cuts.delete(peer),
  }
}
