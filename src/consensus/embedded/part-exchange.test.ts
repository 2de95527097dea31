import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Hex } from '#primitives'
import { openBlock } from './block.ts'
import { decodeMessage, encodeMessage, type Message } from './messages.ts'
import { sizeOfParts } from './parts.ts'
import {
  createTestNetwork,
  decided,
  type TestNetwork,
  type TestPeer,
} from './test-support/network.ts'
import type { DropRule } from './transport.ts'

/** A block of this size, and what each validator receives of it. */
const bodyBytes = 1024 * 1024 - 1

/**
 * Who waits for a part asks again after a gossip interval: longer than any answer takes on a busy
 * machine, so that what comes twice was sent twice for no reason.
 */
const unhurried = { proposeMs: 20_000, voteMs: 150, growthMs: 20, gossipMs: 1_000 }

/** Parts and bodies that reach each validator, in bytes. */
function countBodies(inner: (message: Message, from: Hex, to: Hex) => boolean) {
  const received = new Map<Hex, number>()
  const drops: DropRule = (from, to, bytes) => {
    const message = decodeMessage(bytes)
    if (message.kind === 'transaction') return false
    if (inner(message, from, to)) return true
    received.set(to, (received.get(to) ?? 0) + bytes.length)
    return false
  }
  return { received, drops }
}

/** The height of the block with the big transaction, once every validator has committed it. */
async function decideBig(network: TestNetwork): Promise<number> {
  const [first] = network.peers
  assert(first)
  const big = new Uint8Array(bodyBytes).fill(7)
  for (const { application } of network.peers) await application.checkTransaction(big)
  const height = new Promise<number>((resolve) =>
    first.engine.onDecided(({ block }) => {
      if (block.transactions.length > 0) resolve(block.height)
    }),
  )
  await Promise.all(network.peers.map(({ engine }) => engine.start()))
  const found = await height
  await Promise.all(network.peers.map((peer) => decided(peer, found)))
  await Promise.all(network.peers.map(({ engine }) => engine.stop()))
  return found
}

test('parts: a big block reaches each validator once, under relays, and as rounds go by', async () => {
  // Two of four refuse the blocks of the first proposers: each round another one proposes the same
  // transactions, and all the while everybody relays what it has.
  const plan = fc.record({ rounds: fc.integer({ min: 0, max: 2 }), shy: fc.nat(1) })
  await fc.assert(
    fc.asyncProperty(plan, async ({ rounds, shy }) => {
      const { received, drops } = countBodies(() => false)
      const refused = new Set<Hex>()
      const network = createTestNetwork({
        ...{ drops, timing: unhurried },
        parts: (i, { application }) => ({
          application: {
            ...application,
            async processProposal(block) {
              if (i % 2 !== shy) return { ok: true }
              if (refused.size < rounds) refused.add(block.proposer)
              return refused.has(block.proposer) ? { ok: false, reason: 'Shy' } : { ok: true }
            },
          },
        }),
      })
      const height = await decideBig(network)
      const stored = (await network.peers[0]?.store.load(height)) ?? assert.fail()
      assert(stored.commit.round >= rounds)
      for (const [who, bytes] of received)
        assert(bytes < 1.1 * bodyBytes, `${who} received ${bytes} bytes`)
    }),
    { numRuns: 4, examples: [[{ rounds: 2, shy: 0 }]] },
  )
})

test('parts: whoever misses parts asks others, and gets no more than those', async () => {
  const lost = new Set<string>()
  const isFirst = (name: string) => !lost.has(name) && lost.add(name) !== undefined
  const { received, drops } = countBodies(
    (message, from, to) =>
      message.kind === 'part' &&
      message.index % 3 === 0 &&
      isFirst(`${from} ${to} ${message.index}`),
  )
  const network = createTestNetwork({ drops, timing: unhurried })
  await decideBig(network)
  assert(lost.size > 0)
  // Three of four decide once they have it; the fourth may be so late that it fetches the decision.
  const most = [...received.values()].sort((a, b) => a - b)
  assert(most.slice(0, 3).every((bytes) => bytes < 1.3 * bodyBytes))
})

test('parts: wrong ones are refused by name, and others are asked', async () => {
  // Before each part that the victim is sent comes one that is none, in another's name. The victim
  // is the first that is sent any: anybody but who proposes the block.
  const stranger = '0xbad0'
  let victim: Hex | undefined
  const { drops } = countBodies((message, from, to) => {
    if (message.kind !== 'part' || from === stranger || to === stranger) return false
    victim ??= to
    const bytes = Uint8Array.of(message.index)
    if (to === victim) intruder.send(to, encodeMessage({ ...message, bytes }))
    return false
  })
  const network = createTestNetwork({ drops, timing: unhurried })
  const intruder = network.transport.join(stranger, () => {})
  await decideBig(network)
  const refusing = network.peers
    .filter(({ engine }) => (engine.status().refused.BadPart ?? 0) > 0)
    .map(({ key }) => key)
  assert.deepEqual(refusing, [victim])
})

test('parts: who lags is not sent the body that it holds', async () => {
  // The last one sees a proposal and all its parts, and no precommit: it has to fetch the decision.
  const { received, drops } = countBodies(
    (message, _, to) =>
      to === lagging &&
      message.kind === 'votes' &&
      message.votes.some(({ step }) => step === 'precommit'),
  )
  const network = createTestNetwork({ drops, timing: unhurried })
  const lagging = (network.peers[3] as TestPeer).key
  await decideBig(network)
  const { fetched } = (network.peers[3] as TestPeer).engine.status()
  assert(fetched > 0)
  assert((received.get(lagging) ?? 0) < 1.1 * bodyBytes)
})

test('parts: a block opens again from its parts, and from its bytes', async () => {
  const network = createTestNetwork()
  const height = await decideBig(network)
  const stored = (await network.peers[1]?.store.load(height)) ?? assert.fail()
  const { parts, block } = openBlock(stored.block)
  assert.equal(parts.length, 1 + 17)
  assert(sizeOfParts(parts) >= bodyBytes)
  assert.equal(block.transactions[0]?.length, bodyBytes)
})
