import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, utf8 } from '#primitives'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { createSchedule } from '../core/index.ts'
import type { MemoryLog } from './log.ts'
import { decodeMessage, encodeMessage, type Message } from './messages.ts'
import { createTestNetwork, decided, revive, type TestNetwork } from './test-support/network.ts'
import type { DropRule } from './transport.ts'

const startAll = ({ peers }: TestNetwork) => Promise.all(peers.map(({ engine }) => engine.start()))
const stopAll = ({ peers }: TestNetwork) => Promise.all(peers.map(({ engine }) => engine.stop()))
const all = ({ peers }: TestNetwork, height: number) =>
  Promise.all(peers.map((peer) => decided(peer, height)))

/** Hashes that every peer committed, up to a height; fails when two differ. */
function agreed({ peers }: TestNetwork, height: number) {
  const chains = peers.map(({ application }) =>
    application.committed.slice(0, height).map(({ hash }) => hash),
  )
  for (const chain of chains) assert.deepEqual(chain, chains[0])
  assert.equal(chains[0]?.length, height)
}

test('engine: four validators commit the same blocks without work, by heartbeat', async () => {
  const network = createTestNetwork()
  await startAll(network)
  await all(network, 10)
  await stopAll(network)
  agreed(network, 10)
})

test('engine: an admitted transaction is in a block of every validator, once', async () => {
  const network = createTestNetwork()
  await startAll(network)
  const [first] = network.peers
  assert(first)
  const seen = Promise.all(
    network.peers.map(
      ({ engine }) =>
        new Promise<void>((resolve) => {
          engine.onDecided(({ block }) => {
            if (block.transactions.length > 0) resolve()
          })
        }),
    ),
  )
  assert.deepEqual(await first.engine.submit(utf8('pay')), { ok: true })
  await seen
  const height = Math.max(...network.peers.map(({ engine }) => engine.status().height))
  await all(network, height + 3)
  await stopAll(network)
  for (const { application } of network.peers) assert.equal(application.count(), 1)
})

test('engine: however many transactions come, one timer waits for the next block', async () => {
  const clock = new ManualClock()
  const network = createTestNetwork({ size: 1, parts: () => ({ clock }) })
  const [only] = network.peers
  assert(only)
  const told = heardFrom(network, 'status')
  await only.engine.start()
  await told
  const before = clock.waiting
  for (let i = 0; i < 20; i++) assert((await only.engine.submit(utf8(`pay ${i}`))).ok)
  assert.equal(clock.waiting, before)
  await only.engine.stop()
})

test('engine: timers that ring while peers fill the inbox still act', async () => {
  const clock = new ManualClock()
  const [entered, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const isFirst = (key: Hex, keys: readonly Hex[]) =>
    createSchedule(keys.map((k) => ({ consensusKey: k, power: 1n }))).current.proposer === key
  const network = createTestNetwork({
    size: 2,
    parts: (_, { application }) => ({
      clock,
      application: {
        ...application,
        async prepareProposal(block) {
          entered.resolve()
          await release.promise
          return application.prepareProposal(block)
        },
      },
    }),
  })
  const keys = network.peers.map(({ key }) => key)
  const proposer = network.peers.find(({ key }) => isFirst(key, keys))
  assert(proposer)
  const told = heardFrom(network, 'status')
  await proposer.engine.start()
  await told
  clock.advance(1)
  await entered.promise
  const flooder = network.transport.join('0xbad0', () => {})
  const wake = encodeMessage({ kind: 'wake', height: 1 })
  for (let i = 0; i < 20_000; i++) flooder.send(proposer.key, wake)
  flooder.leave()
  await new Promise(setImmediate)
  assert((proposer.engine.status().refused.InboxFull ?? 0) > 0)
  clock.advance(1000)
  const voted = heardFrom(network, 'votes')
  release.resolve()
  await voted
  // Its peer is not there: without progress it says where it is, as long as its timers run.
  const toldAgain = heardFrom(network, 'status')
  clock.advance(1000)
  await toldAgain
  await proposer.engine.stop()
})

/** Resolves when somebody broadcasts a message of this kind. */
const heardFrom = ({ transport }: TestNetwork, kind: Message['kind']) =>
  new Promise<void>((resolve) => {
    transport.join('0x0eaf', (_, bytes) => {
      if (decodeMessage(bytes).kind === kind) resolve()
    })
  })

test('engine: a refused transaction goes nowhere', async () => {
  const network = createTestNetwork()
  const [first] = network.peers
  assert(first)
  assert.deepEqual(await first.engine.submit(utf8('early')), { ok: false, reason: 'EngineStopped' })
  await startAll(network)
  assert.deepEqual(await first.engine.submit(new Uint8Array(0)), { ok: false, reason: 'Empty' })
  const large = new Uint8Array(1024 * 1024 + 1)
  assert.deepEqual(await first.engine.submit(large), { ok: false, reason: 'TransactionTooLarge' })
  await all(network, 3)
  await stopAll(network)
  for (const { application } of network.peers) assert.equal(application.count(), 0)
})

test('engine: a validator alone decides', async () => {
  const network = createTestNetwork({ size: 1 })
  await startAll(network)
  await all(network, 5)
  await stopAll(network)
})

test('engine: a stopped validator catches up with its own log and store', async () => {
  const network = createTestNetwork()
  const [, , , fourth] = network.peers
  assert(fourth)
  await startAll(network)
  await all(network, 3)
  await fourth.engine.stop()
  const left = fourth.engine.status().height
  await Promise.all(network.peers.slice(0, 3).map((peer) => decided(peer, left + 6)))
  revive(network, fourth, (fourth.log as MemoryLog).survivor())
  await fourth.engine.start()
  const { height } = (network.peers[0] as typeof fourth).engine.status()
  await all(network, height + 4)
  await stopAll(network)
  assert(fourth.engine.status().fetched > 0)
  agreed(network, height + 4)
})

test('engine: two of four decide nothing, and go on once a third is back', async () => {
  const stalls = watchStalls()
  const network = createTestNetwork({ drops: stalls.see })
  await startAll(network)
  await all(network, 2)
  const [first, second, third, fourth] = network.peers
  assert(first && second && third && fourth)
  await Promise.all([third.engine.stop(), fourth.engine.stop()])
  // What was under way may still be decided; from then on the two only say where they are.
  await stalls.next(first.key, 3)
  const left = first.engine.status().height
  await stalls.next(first.key, 30) // longer than two proposers that are gone can take
  assert.equal(first.engine.status().height, left)
  revive(network, third, (third.log as MemoryLog).survivor())
  await third.engine.start()
  await Promise.all([first, second, third].map((peer) => decided(peer, left + 3)))
  await stopAll(network)
})

/** Counts how often a validator says that it made no progress. */
function watchStalls() {
  const counts = new Map<Hex, number>()
  const waits = new Set<() => void>()
  const countOf = (key: Hex) => counts.get(key) ?? 0
  const see: DropRule = (from, _to, bytes) => {
    if (decodeMessage(bytes).kind === 'status') {
      counts.set(from, countOf(from) + 1)
      for (const look of waits) look()
    }
    return false
  }
  /** Resolves once it has said so this often more. */
  const next = (key: Hex, more: number) =>
    new Promise<void>((resolve) => {
      const wanted = countOf(key) + more
      const look = () => {
        if (countOf(key) < wanted) return
        waits.delete(look)
        resolve()
      }
      waits.add(look)
    })
  return { see, next }
}

test('engine: lost messages cost time, not agreement', async () => {
  let turn = 0
  const network = createTestNetwork({ drops: () => ++turn % 7 === 0 })
  await startAll(network)
  await all(network, 8)
  await stopAll(network)
  agreed(network, 8)
})

test('engine: a cut validator is told what it missed', async () => {
  const network = createTestNetwork()
  const [first, , , fourth] = network.peers
  assert(first && fourth)
  await startAll(network)
  await all(network, 2)
  network.transport.cut(fourth.key)
  const left = fourth.engine.status().height
  await decided(first, left + 5)
  network.transport.heal(fourth.key)
  await decided(fourth, left + 7)
  await stopAll(network)
  agreed(network, left + 5)
})

test('engine: whoever is held back says so, and how far it is', async () => {
  let isHeld = true
  const said = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const heard = new Map<Hex, boolean>()
  const held = { isHeld: () => isHeld, heard: () => {} }
  const network = createTestNetwork({
    parts: (index) => ({
      hold: index === 3 ? held : { isHeld: () => false, heard: hear },
    }),
  })
  const fourth = network.peers[3]
  assert(fourth)
  function hear(from: Hex, _height: number, says: boolean) {
    heard.set(from, says)
    if (from !== fourth?.key) return
    if (says) said.resolve()
    else ended.resolve()
  }
  await startAll(network)
  await said.promise
  await decided(fourth, 2)
  isHeld = false
  network.transport.cut(network.peers[2]?.key ?? '0x')
  network.transport.cut(network.peers[1]?.key ?? '0x')
  await ended.promise
  await stopAll(network)
  for (const { key } of network.peers.slice(0, 3)) assert.notEqual(heard.get(key), true)
})

test('engine: a validator that a block adds votes two heights later', async () => {
  const added = 4
  const network = createTestNetwork({
    size: 5,
    validators: (keys) => keys.slice(0, 4).map((consensusKey) => ({ consensusKey, power: 1n })),
    updates: (height) =>
      height === added ? [{ consensusKey: network.peers[4]?.key ?? '0x', power: 10n }] : [],
  })
  await startAll(network)
  await all(network, added + 4)
  await stopAll(network)
  agreed(network, added + 4)
  const powers = await Promise.all(
    [added, added + 1, added + 2].map(async (height) => {
      const stored = await network.peers[0]?.store.load(height)
      return stored?.validators.totalPower
    }),
  )
  assert.deepEqual(powers, [4n, 4n, 14n])
})
