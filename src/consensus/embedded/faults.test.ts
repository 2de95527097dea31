import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, type Logger, sha256Hex, utf8 } from '#primitives'
import type { Validator } from '#records'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { createSchedule, type Offer, type Vote } from '../core/index.ts'
import { freeConflicts } from '../core/votes.ts'
import { blockHash, type Commit, type SealedBlock, sealBlock, validatorsHash } from './block.ts'
import type { MemoryLog } from './log.ts'
import { decodeMessage, encodeMessage, type Message } from './messages.ts'
import { bodyHash, partName } from './parts.ts'
import { AppHashDivergedError } from './runtime.ts'
import { proposalSignBytes, voteSignBytes } from './sign-bytes.ts'
import type { SignSlot } from './signer.ts'
import {
  createTestNetwork,
  decided,
  type TestPeer,
  testNetwork,
  testSigner,
} from './test-support/network.ts'
import type { Link } from './transport.ts'

const keys = [0, 1, 2, 3].map((i) => testSigner(i).publicKey)
const validators: readonly Validator[] = keys.map((consensusKey) => ({ consensusKey, power: 1n }))
const { current, next } = createSchedule(validators)
const indexOf = (key: Hex) => keys.indexOf(key)
/** The engine under test runs alone, so that it stays at height 1; it does not propose there. */
const alone = keys.findIndex((key) => key !== current.proposer && key !== next.proposer)

test('faults: forged, foreign and misplaced messages are refused by name', async () => {
  const { intruder, refused, peer } = await besiege()
  const good = await signedVote(proposerIndex(), { step: 'prevote', value: undefined })
  const elsewhere = await signedVote(9, { step: 'prevote', value: undefined })
  const otherNetwork = await signedVote(
    proposerIndex(),
    { step: 'prevote', value: undefined },
    keys[0],
  )
  const block = blockOf(keys[proposerIndex()] as Hex, Date.now())
  const impostor = [0, 1, 2, 3].find((i) => i !== alone && i !== proposerIndex()) ?? 0
  const proposal = await signedOffer(proposerIndex(), block)
  const bare = { header: block.block.header, parts: undefined, commit: commitOf(block.hash, []) }
  const attacks: readonly (readonly [string, Message | Uint8Array])[] = [
    ['BadEncoding', Uint8Array.of(1, 2, 3)],
    ['BadEncoding', encodeMessage({ kind: 'wake', height: 1 }).fill(255, 0, 1)],
    ['BadSignature', votes({ ...good, value: block.hash })],
    ['BadSignature', votes({ ...good, validator: keys[alone] as Hex })],
    ['BadSignature', votes(otherNetwork)],
    ['UnknownValidator', votes(elsewhere)],
    ['NotProposer', { ...(await signedOffer(impostor, block)) }],
    ['BadSignature', { ...proposal, proposal: { ...proposal.proposal, validRound: -1, round: 4 } }],
    ['BlockMismatch', { ...proposal, header: blockOf(keys[0] as Hex, 1).block.header }],
    ['BlockMismatch', { ...proposal, names: [...proposal.names, block.hash] }],
    ['BlockMismatch', { ...proposal, parts: [Uint8Array.of(1)] }],
    ['BadEncoding', await signedOffer(proposerIndex(), bodiless())],
    ['UnwantedPart', { kind: 'part', value: block.hash, index: 0, bytes: Uint8Array.of(1) }],
    ['BodyMissing', { kind: 'blocks', blocks: [bare] }],
    ['BadCommit', fetched(block, [])],
    ['BadCommit', fetched(block, [await precommit(0, block.hash), await precommit(1, block.hash)])],
    ['BadCommit', fetched(block, await forgedPrecommits(block.hash))],
    ['BadCommit', fetched(block, await repeatedPrecommits(block.hash))],
  ]
  for (const [reason, attack] of attacks) {
    const told = refused()
    intruder.send(peer.key, attack instanceof Uint8Array ? attack : encodeMessage(attack))
    assert.equal(await told, reason)
  }
  assert.equal(peer.engine.status().height, 0)
  assert.equal(peer.engine.status().phase, 'running')
  await peer.engine.stop()
})

test('faults: of a double voter the log holds what the core keeps, however often it votes', async () => {
  const { intruder, refused, peer } = await besiege()
  for (let i = 0; i < 100; i++) {
    const value = sha256Hex(utf8(`${i}`))
    const vote = await signedVote(proposerIndex(), { step: 'prevote', value })
    intruder.send(peer.key, encodeMessage(votes(vote)))
  }
  const told = refused()
  const last = await signedVote(9, { step: 'prevote', value: undefined })
  intruder.send(peer.key, encodeMessage(votes(last)))
  assert.equal(await told, 'UnknownValidator')
  await peer.log.sync()
  assert.equal((peer.log as MemoryLog).survivor().replay().length, freeConflicts)
  await peer.engine.stop()
})

test('faults: a fetched block with the signatures of three of four is committed', async () => {
  const { intruder, peer } = await besiege()
  const block = blockOf(keys[proposerIndex()] as Hex, Date.now())
  const commits = await Promise.all([0, 1, 2].map((i) => precommit(i, block.hash)))
  intruder.send(peer.key, encodeMessage(fetched(block, commits)))
  await decided(peer, 1)
  assert.equal(peer.engine.status().hash, block.hash)
  await peer.engine.stop()
})

test('faults: an early proposal is in the log before the vote that it led to', async () => {
  const { intruder, peer, nextVote } = await besiege()
  const first = blockOf(current.proposer, Date.now())
  const commits = await Promise.all([0, 1, 2].map((i) => precommit(i, first.hash)))
  const origin = { ...originOf(next.proposer, Date.now() + 1), height: 2, parent: first.hash }
  const second = sealBlock(origin, { ...empty, lastCommit: commitOf(first.hash, commits) })
  const told = nextVote()
  const early = await signedOffer(indexOf(next.proposer), second)
  intruder.send(peer.key, encodeMessage(early))
  intruder.send(peer.key, encodeMessage(fetched(first, commits)))
  const vote = await told
  assert.deepEqual([vote.height, vote.value], [2, second.hash])
  await peer.engine.stop()
  const records = (peer.log as MemoryLog).survivor().replay()
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ['proposal', 'validity'],
  )
})

test('faults: a block that cannot follow the chain gets nil, a sound one its prevote', async () => {
  const proposer = keys[proposerIndex()] as Hex
  const parts = originOf(proposer, Date.now())
  const cases: readonly (readonly [string, SealedBlock, boolean])[] = [
    ['sound', blockOf(proposer, Date.now()), true],
    ['a minute ahead', blockOf(proposer, Date.now() + 60_000), false],
    ['not above the parent', blockOf(proposer, 0), false],
    ['of another author', blockOf(keys[alone] as Hex, Date.now()), false],
    ['another parent', sealBlock({ ...parts, parent: sha256Hex() }, empty), false],
    ['another app hash', sealBlock({ ...parts, appHash: sha256Hex() }, empty), false],
    ['other validators', sealBlock({ ...parts, validatorsHash: sha256Hex() }, empty), false],
    ['refused transaction', sealBlock(parts, { ...empty, transactions: [utf8('')] }), false],
    [
      'commit of nothing',
      sealBlock(parts, { ...empty, lastCommit: commitOf(sha256Hex(), []) }),
      false,
    ],
    [
      'untrue evidence',
      sealBlock(parts, { ...empty, misbehaviour: [await forgedConflict()] }),
      false,
    ],
  ]
  for (const [name, block, isGood] of cases) {
    const { intruder, peer, nextVote } = await besiege()
    const told = nextVote()
    intruder.send(peer.key, encodeMessage(await signedOffer(proposerIndex(), block)))
    const { step, value } = await told
    assert.deepEqual([step, value], ['prevote', isGood ? block.hash : undefined], name)
    await peer.engine.stop()
  }
})

test('faults: a double vote is in one block, once, for the application to see', async () => {
  const network = createTestNetwork()
  const culprit = network.peers[3] as TestPeer
  const honest = network.peers.slice(0, 3)
  await Promise.all(honest.map(({ engine }) => engine.start()))
  const intruder = network.transport.join('0xbad0', () => {})
  const stop = (network.peers[0] as TestPeer).engine.onDecided(async ({ block }) => {
    const height = block.height + 1
    for (const value of [sha256Hex(utf8('one')), sha256Hex(utf8('two'))])
      intruder.broadcast(
        encodeMessage(votes(await signedVote(3, { step: 'prevote', value, height }))),
      )
  })
  const reported = new Promise<number>((resolve) => {
    ;(network.peers[1] as TestPeer).engine.onDecided(({ block }) => {
      if (block.misbehaviour.length > 0) resolve(block.height)
    })
  })
  const height = await reported
  stop()
  await Promise.all(honest.map((peer) => decided(peer, height + 4)))
  await Promise.all(honest.map(({ engine }) => engine.stop()))
  const named = honest.map(({ application }) =>
    application.committed.slice(0, height + 4).flatMap(({ misbehaviour }) => misbehaviour),
  )
  for (const list of named) assert.deepEqual(list, named[0])
  const found = (named[0] ?? []).map((one) => `${one.consensusKey} ${one.height}`)
  assert(found.length > 0 && new Set(found).size === found.length)
  assert((named[0] ?? []).every(({ consensusKey }) => consensusKey === culprit.key))
})

test('faults: a validator whose state differs stops, the others go on', async () => {
  const failed = Promise.withResolvers<unknown>()
  const network = createTestNetwork({
    parts: (i, { application }) =>
      i === 1
        ? {
            onFailure: failed.resolve,
            application: {
              ...application,
              finalizeBlock: async (block) => ({
                ...(await application.finalizeBlock(block)),
                ...(block.height === 2 ? { appHash: testNetwork } : {}),
              }),
            },
          }
        : {},
  })
  await Promise.all(network.peers.map(({ engine }) => engine.start()))
  const error = await failed.promise
  assert(error instanceof AppHashDivergedError)
  assert.deepEqual(error.details.ours, testNetwork)
  const sound = network.peers.filter((_, i) => i !== 1)
  await Promise.all(sound.map((peer) => decided(peer, error.details.height + 3)))
  await Promise.all(network.peers.map(({ engine }) => engine.stop()))
  assert.equal(network.peers[1]?.engine.status().phase, 'failed')
})

test('faults: an application that throws costs that input, not the validator', async () => {
  const thrower = () => Promise.reject(new Error('defect'))
  const network = createTestNetwork({
    parts: (i, { application }) =>
      i === 0
        ? {
            application: {
              ...application,
              prepareProposal: thrower,
              processProposal: thrower,
              checkTransaction: thrower,
            },
          }
        : {},
  })
  await Promise.all(network.peers.map(({ engine }) => engine.start()))
  const [first] = network.peers
  assert.deepEqual(await first?.engine.submit(utf8('boom')), {
    ok: false,
    reason: 'ApplicationFailed',
  })
  await Promise.all(network.peers.map((peer) => decided(peer, 6)))
  await Promise.all(network.peers.map(({ engine }) => engine.stop()))
})

const proposerIndex = () => indexOf(current.proposer)
const empty = { lastCommit: undefined, transactions: [], misbehaviour: [] }

/** One engine at height 1, and a link from which anything can be sent to it. */
async function besiege() {
  let onRefusal = (_: string) => {}
  const logger: Logger = {
    ...silentLogger,
    debug: (_, fields) => onRefusal(String(fields?.reason)),
  }
  const timing = { proposeMs: 60_000, heartbeatMs: 1 }
  const network = createTestNetwork({ timing, parts: () => ({ logger }) })
  const peer = network.peers[alone] as TestPeer
  let onMessage = (_: Message) => {}
  const hear = (_: Hex, bytes: Uint8Array) => onMessage(decodeMessage(bytes))
  const intruder: Link = network.transport.join('0xbad0', hear)
  const isAtHeight1 = new Promise<void>((resolve) => {
    network.transport.join(current.proposer, (_, bytes) => {
      if (decodeMessage(bytes).kind === 'wake') resolve()
    })
  })
  await peer.engine.start()
  await isAtHeight1
  return {
    peer,
    intruder,
    refused: () =>
      new Promise<string>((resolve) => {
        onRefusal = resolve
      }),
    nextVote: () =>
      new Promise<Vote>((resolve) => {
        onMessage = (message) => {
          if (message.kind === 'votes') resolve(message.votes[0] as Vote)
        }
      }),
  }
}

const originOf = (proposer: Hex, timeMs: number) => ({
  height: 1,
  timeMs,
  proposer,
  parent: testNetwork,
  appHash: sha256Hex(utf8('count 0')),
  validatorsHash: validatorsHash(current),
})
const blockOf = (proposer: Hex, timeMs: number) => sealBlock(originOf(proposer, timeMs), empty)

/** A block whose proposer has signed what is no body. */
function bodiless(): SealedBlock {
  const sealed = blockOf(current.proposer, 7)
  const parts = [Uint8Array.of(1)]
  const names = parts.map(partName)
  const header = { ...sealed.block.header, bodyHash: bodyHash(names) }
  return { ...sealed, block: { ...sealed.block, header }, names, parts, hash: blockHash(header) }
}

const votes = (vote: Vote): Message => ({ kind: 'votes', votes: [vote] })

const signWith = async (index: number, slot: SignSlot, bytes: Uint8Array): Promise<Hex> => {
  const signed = await testSigner(index).sign(slot, bytes)
  assert(signed.ok)
  return signed.signature
}

async function signedVote(
  index: number,
  parts: Pick<Vote, 'step' | 'value'> & { readonly height?: number },
  network: Hex = testNetwork,
): Promise<Vote> {
  const ballot = { height: 1, round: 0, validator: testSigner(index).publicKey, ...parts }
  return { ...ballot, signature: await signWith(index, ballot, voteSignBytes(network, ballot)) }
}

const precommit = (index: number, value: Hex): Promise<Vote> =>
  signedVote(index, { step: 'precommit', value })

/** Real signatures of three, but for another step. */
const forgedPrecommits = (value: Hex): Promise<readonly Vote[]> =>
  Promise.all([0, 1, 2].map((i) => signedVote(i, { step: 'prevote', value })))

/** One real signature, three times. */
const repeatedPrecommits = async (value: Hex): Promise<readonly Vote[]> => {
  const one = await precommit(0, value)
  return [one, one, one]
}

async function forgedConflict() {
  const first = await signedVote(2, { step: 'prevote', value: sha256Hex(utf8('one')) })
  return { first, second: { ...first, value: sha256Hex(utf8('two')) } }
}

async function signedOffer(index: number, block: SealedBlock) {
  const { height } = block.block.header
  const proposer = testSigner(index).publicKey
  const offer: Offer = { height, round: 0, value: block.hash, validRound: -1, proposer }
  const slot = { height, round: 0, step: 'proposal' } as const
  const signature = await signWith(index, slot, proposalSignBytes(testNetwork, offer))
  const { names, parts } = block
  const proposal = { ...offer, signature }
  return { kind: 'proposal', proposal, header: block.block.header, names, parts } as const
}

const commitOf = (value: Hex, precommits: readonly Vote[]): Commit => ({
  height: 1,
  round: 0,
  value,
  signatures: precommits.map(({ validator, signature }) => ({ validator, signature })),
})

const fetched = (block: SealedBlock, precommits: readonly Vote[]): Message => ({
  kind: 'blocks',
  blocks: [
    { header: block.block.header, parts: block.parts, commit: commitOf(block.hash, precommits) },
  ],
})
