import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes } from '#primitives'
import { createFaultyDisk } from '../../../test/support/faulty-disk.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { wallClock } from '../../../test/support/wall-clock.ts'
import { createMemoryBlockStore, openFileBlockStore } from './block-store.ts'
import { createEmbeddedEngine } from './engine.ts'
import { type ConsensusLog, createMemoryLog, type MemoryLog, openFileLog } from './log.ts'
import { decodeMessage } from './messages.ts'
import { StoreBehindError } from './recovery.ts'
import { AppHashDivergedError } from './runtime.ts'
import {
  createCountingApplication,
  createTestNetwork,
  decided,
  revive,
  type TestPeer,
  testNetwork,
  testSigner,
  testTiming,
} from './test-support/network.ts'
import { createTransport, type DropRule } from './transport.ts'

/** Looks at all that is sent: every signed slot, and those that a validator signed twice. */
function watchVotes() {
  const slots = new Map<string, string>()
  const doubles: string[] = []
  const see = (slot: string, value: string) => {
    if ((slots.get(slot) ?? value) !== value) doubles.push(slot)
    slots.set(slot, value)
  }
  const drops: DropRule = (_from, _to, bytes) => {
    const message = decodeMessage(bytes)
    if (message.kind === 'votes')
      for (const { height, round, step, validator, value } of message.votes)
        see(`${validator} ${height} ${round} ${step}`, `${value}`)
    if (message.kind === 'proposal') {
      const { height, round, proposer, value, validRound } = message.proposal
      see(`${proposer} ${height} ${round} proposal`, `${value} ${validRound}`)
    }
    return false
  }
  return { drops, slots, doubles }
}

/** A log whose n-th sync is the last thing its process does, before or after it took effect. */
function crashingLog(atSync: number, isDurable: boolean): MemoryLog {
  const log = createMemoryLog()
  let syncs = 0
  return {
    ...log,
    async sync() {
      const isLast = ++syncs >= atSync
      if (!isLast || isDurable) await log.sync()
      if (isLast) throw new Error('the power went')
    },
  }
}

for (const when of ['before', 'after'] as const)
  test(`restart: a crash ${when} an fsync signs nothing twice`, async () => {
    await Promise.all(
      [1, 2, 3, 4, 5, 6, 7].map(async (atSync) => {
        const { drops, slots, doubles } = watchVotes()
        const died = Promise.withResolvers<void>()
        const network = createTestNetwork({
          drops,
          parts: (i) =>
            i === 2
              ? { log: crashingLog(atSync, when === 'after'), onFailure: () => died.resolve() }
              : {},
        })
        const victim = network.peers[2] as TestPeer
        await Promise.all(network.peers.map(({ engine }) => engine.start()))
        await died.promise
        await victim.engine.stop()
        revive(network, victim, (victim.log as MemoryLog).survivor())
        await victim.engine.start()
        const height = Math.max(...network.peers.map(({ engine }) => engine.status().height))
        await Promise.all(network.peers.map((peer) => decided(peer, height + 3)))
        await Promise.all(network.peers.map(({ engine }) => engine.stop()))
        assert(slots.size > 20)
        assert.deepEqual(doubles, [])
      }),
    )
  })

test('restart: a crash around storing a block loses and repeats nothing', async () => {
  for (const crash of ['before save', 'after save', 'before commit'] as const) {
    const { drops, doubles } = watchVotes()
    const died = Promise.withResolvers<void>()
    const store = createMemoryBlockStore()
    let isArmed = true
    const crashAt = (place: string) => {
      if (!isArmed || place !== crash || store.height() < 2) return
      isArmed = false
      throw new Error('the power went')
    }
    const network = createTestNetwork({
      drops,
      parts: (i, { application }) =>
        i === 2
          ? {
              onFailure: () => died.resolve(),
              blockStore: {
                ...store,
                async save(stored) {
                  crashAt('before save')
                  await store.save(stored)
                  crashAt('after save')
                },
              },
              application: {
                ...application,
                async commit() {
                  crashAt('before commit')
                  await application.commit()
                },
              },
            }
          : {},
    })
    const victim = network.peers[2] as TestPeer
    await Promise.all(network.peers.map(({ engine }) => engine.start()))
    await died.promise
    await victim.engine.stop()
    revive(network, victim, (victim.log as MemoryLog).survivor())
    await victim.engine.start()
    const height = Math.max(...network.peers.map(({ engine }) => engine.status().height))
    await Promise.all(network.peers.map((peer) => decided(peer, height + 3)))
    await Promise.all(network.peers.map(({ engine }) => engine.stop()))
    const heights = victim.application.committed.map((block) => block.height)
    assert.deepEqual(
      heights,
      heights.map((_, i) => i + 1),
      crash,
    )
    assert.deepEqual(doubles, [])
  }
})

test('restart: with its log lost, the same crash does make a validator sign twice', async () => {
  const { drops, doubles } = watchVotes()
  const died = Promise.withResolvers<void>()
  const network = createTestNetwork({
    drops,
    size: 2,
    // Nothing is decided without the victim, so it comes back to the height that it left.
    validators: (keys) => keys.map((consensusKey, i) => ({ consensusKey, power: i ? 1n : 10n })),
    parts: (i) => (i === 0 ? { log: crashingLog(3, true), onFailure: () => died.resolve() } : {}),
  })
  const [victim, other] = network.peers
  assert(victim && other)
  await Promise.all(network.peers.map(({ engine }) => engine.start()))
  await died.promise
  assert.deepEqual(doubles, [])
  revive(network, victim, createMemoryLog())
  await victim.engine.start()
  await decided(victim, 1)
  await Promise.all(network.peers.map(({ engine }) => engine.stop()))
  assert(doubles.some((slot) => slot === `${victim.key} 1 0 proposal`))
})

test('restart: all validators at once, from files, with a torn log, go on where they were', async () => {
  const disk = createFaultyDisk(1)
  const pathOf = (i: number, name: string) => `${i}/${name}`
  const tear = (path: string, more: (held: Uint8Array) => Uint8Array) => {
    const held = disk.bytes(path) ?? new Uint8Array(0)
    disk.put(path, concatBytes(held, more(held)))
  }
  const open = async () => {
    const transport = createTransport()
    const validators = [0, 1, 2, 3].map((i) => ({
      consensusKey: testSigner(i).publicKey,
      power: 1n,
    }))
    return Promise.all(
      [0, 1, 2, 3].map(async (i): Promise<TestPeer> => {
        const owner = { networkId: testNetwork, validator: testSigner(i).publicKey }
        const log = await openFileLog(pathOf(i, 'log'), owner, silentLogger, disk)
        const store = await openFileBlockStore(pathOf(i, 'blocks'), testNetwork, silentLogger, disk)
        const application = createCountingApplication(validators)
        const engine = createEmbeddedEngine({
          ...{ networkId: testNetwork, application, signer: testSigner(i), log, transport },
          ...{ blockStore: store, clock: wallClock, logger: silentLogger, timing: testTiming },
          stateFiles: 'what the application keeps',
        })
        return {
          key: owner.validator,
          signer: () => testSigner(i),
          application,
          store,
          engine,
          log,
        }
      }),
    )
  }
  const close = async (peers: readonly TestPeer[]) => {
    for (const { engine, log, store } of peers) {
      await engine.stop()
      await log.close()
      await store.close()
    }
  }
  const first = await open()
  await Promise.all(first.map(({ engine }) => engine.start()))
  await Promise.all(first.map((peer) => decided(peer, 4)))
  await close(first)
  const before = first.map(({ application }) => application.committed.map(({ hash }) => hash))
  tear(pathOf(1, 'log'), () => Uint8Array.of(1, 2, 3, 4, 0, 0))
  tear(pathOf(2, 'blocks'), (held) => held.subarray(-50))

  const second = await open()
  await Promise.all(second.map(({ engine }) => engine.start()))
  const height = Math.max(...before.map(({ length }) => length))
  await Promise.all(second.map((peer) => decided(peer, height + 3)))
  await close(second)
  for (const [i, { application }] of second.entries()) {
    const after = application.committed.map(({ hash }) => hash)
    assert.deepEqual(after.slice(0, before[i]?.length), before[i])
    assert.deepEqual(
      after.slice(0, height),
      second[0]?.application.committed.map(({ hash }) => hash).slice(0, height),
    )
  }
  assert.equal(disk.bytes(`${pathOf(1, 'log')}.bad`)?.length, 6)
})

test('restart: an application behind the block store executes what it lacks', async () => {
  const network = createTestNetwork()
  await Promise.all(network.peers.map(({ engine }) => engine.start()))
  await Promise.all(network.peers.map((peer) => decided(peer, 4)))
  await Promise.all(network.peers.map(({ engine }) => engine.stop()))
  const [peer] = network.peers
  assert(peer)
  const fresh = createCountingApplication(
    network.peers.map(({ key }) => ({ consensusKey: key, power: 1n })),
  )
  revive(network, { ...peer, application: fresh }, createMemoryLog())
  const lone = { ...peer, application: fresh, engine: peer.engine }
  revive(network, lone, createMemoryLog())
  await lone.engine.start()
  assert.deepEqual(fresh.committed, peer.application.committed)
  await lone.engine.stop()
})

test('restart: an application ahead of the store, or of another state, is refused', async () => {
  const network = createTestNetwork()
  await Promise.all(network.peers.map(({ engine }) => engine.start()))
  await Promise.all(network.peers.map((peer) => decided(peer, 2)))
  await Promise.all(network.peers.map(({ engine }) => engine.stop()))
  const [peer, other] = network.peers
  assert(peer && other)
  const lost = { ...peer, store: createMemoryBlockStore() }
  revive(network, lost, createMemoryLog())
  await assert.rejects(
    lost.engine.start(),
    (error) =>
      error instanceof StoreBehindError &&
      error.message.includes('or move what the application keeps away too'),
  )
  const validators = network.peers.map(({ key }) => ({ consensusKey: key, power: 1n }))
  const wrong = createCountingApplication(validators)
  const diverged = {
    ...other,
    application: {
      ...wrong,
      finalizeBlock: async (block: Parameters<typeof wrong.finalizeBlock>[0]) => ({
        ...(await wrong.finalizeBlock(block)),
        appHash: testNetwork,
      }),
    },
  }
  revive(network, diverged, createMemoryLog())
  await assert.rejects(diverged.engine.start(), AppHashDivergedError)
})

test('restart: an engine that was stopped while it started stays stopped', async () => {
  const network = createTestNetwork({ size: 1 })
  const [peer] = network.peers
  assert(peer)
  const starting = peer.engine.start()
  await peer.engine.stop()
  await starting
  assert.equal(peer.engine.status().phase, 'stopped')
})

test('restart: nothing is signed before the log durably holds all that led to it', async () => {
  let waiting = 0
  const unsynced: number[] = []
  const log = createMemoryLog()
  const counting: ConsensusLog = {
    ...log,
    append(record) {
      waiting++
      log.append(record)
    },
    async sync() {
      await log.sync()
      waiting = 0
    },
  }
  const signer = testSigner(0)
  const network = createTestNetwork({
    parts: (i) =>
      i === 0
        ? {
            log: counting,
            signer: {
              ...signer,
              sign(slot, bytes) {
                unsynced.push(waiting)
                return signer.sign(slot, bytes)
              },
            },
          }
        : {},
  })
  await Promise.all(network.peers.map(({ engine }) => engine.start()))
  await Promise.all(network.peers.map((peer) => decided(peer, 3)))
  await Promise.all(network.peers.map(({ engine }) => engine.stop()))
  assert(unsynced.length >= 6)
  assert(unsynced.every((count) => count === 0))
})

test('restart: a proposer whose guard refuses its block still votes in that round', async () => {
  const { drops, slots } = watchVotes()
  const network = createTestNetwork({
    drops,
    parts: (i, { signer }) => ({
      signer: {
        ...testSigner(i),
        sign: (slot, bytes) =>
          slot.step === 'proposal' && slot.height === 1 && slot.round === 0
            ? Promise.resolve({ ok: false, reason: 'SignRefused' })
            : signer.sign(slot, bytes),
      },
    }),
  })
  await Promise.all(network.peers.map(({ engine }) => engine.start()))
  await Promise.all(network.peers.map((peer) => decided(peer, 1)))
  await Promise.all(network.peers.map(({ engine }) => engine.stop()))
  const prevotes = network.peers.map(({ key }) => slots.get(`${key} 1 0 prevote`))
  assert.deepEqual(prevotes, ['undefined', 'undefined', 'undefined', 'undefined'])
})

test('restart: a log that cannot be written stops the validator before it votes', async () => {
  const { drops, slots } = watchVotes()
  const full: ConsensusLog = {
    ...createMemoryLog(),
    sync: () => Promise.reject(new Error('no space left on device')),
  }
  const failed = Promise.withResolvers<unknown>()
  const network = createTestNetwork({
    drops,
    parts: (i) => (i === 0 ? { log: full, onFailure: failed.resolve } : {}),
  })
  await Promise.all(network.peers.map(({ engine }) => engine.start()))
  await failed.promise
  await Promise.all(network.peers.slice(1).map((peer) => decided(peer, 3)))
  await Promise.all(network.peers.map(({ engine }) => engine.stop()))
  const [first] = network.peers
  assert.equal(first?.engine.status().phase, 'failed')
  assert(![...slots.keys()].some((slot) => slot.startsWith(first?.key ?? '')))
})
