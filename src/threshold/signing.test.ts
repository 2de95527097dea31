import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bigintToBytes, bytesToBigint, fromHex, type Hex, type Rng, toHex } from '#primitives'
import { possessionMessage, type Session } from '#records'
import { challengeOf } from './binding.ts'
import {
  aggregate,
  ForeignNonceError,
  groupKeyForL1,
  isNonceCommitment,
  judgeShares,
  type KeyPackage,
  NotASignerError,
  nonceCommitment,
  sessionDigest,
  signatureForL1,
  signShare,
  signTogether,
  trustedDealer,
  UnsignableSessionError,
  verifyGroupSignature,
} from './index.ts'
import { Point, parsePoint, Scalar } from './suite.ts'

/** Reproducible bytes: an xorshift generator, good enough for keys of tests. */
function rngFrom(seed: number): Rng {
  let state = seed
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0xff
  }
  return (length) => Uint8Array.from({ length }, next)
}

const keys = trustedDealer(4, 3, rngFrom(7))
const [ada, bob, cyd, dan] = keys as [KeyPackage, KeyPackage, KeyPackage, KeyPackage]
const { groupKey, verifyingShares } = ada
const seedOf = (key: KeyPackage): Hex => `0x${key.operator.toString(16).padStart(64, 'a')}`
const instance: Hex = `0x${'1e'.repeat(32)}`
const message: Hex = `0x${'5a'.repeat(32)}`

function open(signers: readonly KeyPackage[], change: Partial<Session> = {}): Session {
  return {
    checkpoint: 9,
    attempt: 1,
    message,
    openedHeight: 20,
    openedMs: 20,
    signers: signers.map((key) => ({
      operator: key.operator,
      nonce: nonceCommitment(key, seedOf(key), instance, 5),
      share: undefined,
    })),
    ...change,
  }
}

const shareOf = (key: KeyPackage, session: Session): Hex =>
  signShare({ key, session, seed: seedOf(key), instance })

/** The session once all shares are in, some of them changed on the way. */
function signed(session: Session, change: Record<number, (share: Hex) => Hex | undefined> = {}) {
  const signers = session.signers.map((signer) => {
    const key = keys[signer.operator - 1] as KeyPackage
    const share = shareOf(key, session)
    const changed = change[signer.operator]
    return { ...signer, share: changed ? changed(share) : share }
  })
  return { ...session, signers }
}

const plusOne = (share: Hex): Hex =>
  toHex(bigintToBytes((bytesToBigint(fromHex(share)) + 1n) % Scalar.ORDER, 32))

test('aggregate: the signature is one of the group over this message alone', () => {
  const signature = aggregate(signed(open([ada, bob, dan])), groupKey)
  assert(signature)
  assert.equal(fromHex(signature).length, 65)
  assert(verifyGroupSignature(groupKey, message, signature))
  assert(!verifyGroupSignature(groupKey, `0x${'5b'.repeat(32)}`, signature))
  assert(!verifyGroupSignature(ada.verifyingShare, message, signature))
})

test('aggregate: signers may be listed in any order', () => {
  const session = open([ada, bob, cyd])
  const turned = { ...session, signers: [...session.signers].reverse() }
  assert.equal(aggregate(signed(session), groupKey), aggregate(signed(turned), groupKey))
  assert.equal(sessionDigest(session), sessionDigest(turned))
})

test('aggregate: nothing while a share is missing', () => {
  const session = signed(open([ada, bob, cyd]), { 2: () => undefined })
  assert.equal(aggregate(session, groupKey), undefined)
  assert.deepEqual(judgeShares(session, groupKey, verifyingShares), { bad: [] })
})

test('aggregate: all four together sign too, t - 1 do not', () => {
  assert(aggregate(signed(open([ada, bob, cyd, dan])), groupKey))
  assert.throws(() => shareOf(ada, open([ada, bob])), UnsignableSessionError)
  const two = open([ada, bob])
  const cheated = two.signers.map((signer) => {
    const key = { ...(keys[signer.operator - 1] as KeyPackage), threshold: 2 }
    return { ...signer, share: shareOf(key, two) }
  })
  assert.equal(aggregate({ ...two, signers: cheated }, groupKey), undefined)
})

test('judgeShares: whoever sends a bad share is named, and nobody else', () => {
  const spoil: readonly ((share: Hex) => Hex)[] = [
    plusOne,
    () => `0x${'00'.repeat(32)}`,
    () => `0x${'ff'.repeat(32)}`,
    () => shareOf(bob, open([ada, bob, cyd], { message: `0x${'77'.repeat(32)}` })),
  ]
  for (const change of spoil) {
    const session = signed(open([cyd, ada, bob]), { 2: change })
    assert.equal(aggregate(session, groupKey), undefined)
    assert.deepEqual(judgeShares(session, groupKey, verifyingShares), { bad: [2] })
  }
  const both = signed(open([dan, ada, bob]), { 4: plusOne, 1: plusOne })
  assert.deepEqual(judgeShares(both, groupKey, verifyingShares), { bad: [1, 4] })
})

test('judgeShares: any set of liars in any committee is named exactly', () => {
  const committee = fc.constantFrom([ada, bob, cyd], [dan, bob, ada], [ada, bob, cyd, dan])
  const liars = fc.subarray([1, 2, 3, 4])
  fc.assert(
    fc.property(committee, liars, (signers, lying) => {
      const session = signed(open(signers), Object.fromEntries(lying.map((id) => [id, plusOne])))
      const expected = lying.filter((id) => signers.some(({ operator }) => operator === id))
      assert.deepEqual(judgeShares(session, groupKey, verifyingShares), { bad: expected })
      assert.equal(aggregate(session, groupKey) === undefined, expected.length > 0)
    }),
    { numRuns: 12 },
  )
})

test('judgeShares: a share that is wrong is bad before the others are in', () => {
  const session = signed(open([ada, bob, cyd]), { 1: () => undefined, 3: plusOne })
  assert.deepEqual(judgeShares(session, groupKey, verifyingShares), { bad: [3] })
})

test('judgeShares: a commitment that is no point falls on who published it', () => {
  const session = open([ada, bob, cyd])
  const nonce = {
    index: 5,
    hiding: `0x${'02'.repeat(33)}`,
    binding: `0x${'09'.repeat(33)}`,
  } as const
  const broken = session.signers.map((one) => (one.operator === 2 ? { ...one, nonce } : one))
  const spoiled = { ...session, signers: broken }
  assert(!isNonceCommitment(nonce))
  assert(session.signers.every((signer) => isNonceCommitment(signer.nonce)))
  assert.throws(() => shareOf(ada, spoiled), UnsignableSessionError)
  assert.deepEqual(judgeShares(spoiled, groupKey, verifyingShares), { bad: [2] })
  assert.equal(aggregate(spoiled, groupKey), undefined)
})

test('judges: an operator twice in a session signs nothing and damns nobody', () => {
  const session = open([ada, bob, bob])
  assert.throws(() => shareOf(ada, session), UnsignableSessionError)
  const share: Hex = `0x${'01'.repeat(32)}`
  const full = { ...session, signers: session.signers.map((one) => ({ ...one, share })) }
  assert.equal(aggregate(full, groupKey), undefined)
  assert.deepEqual(judgeShares(full, groupKey, verifyingShares), { bad: [] })
})

test('judgeShares: a signer without a verifying share is a defect', () => {
  const session = signed(open([ada, bob, cyd]))
  assert.throws(() => judgeShares(session, groupKey, new Map()), /defect: the verifying share/)
})

test('signShare: refuses sessions of others and nonces of others', () => {
  const session = open([ada, bob, cyd])
  assert.throws(() => shareOf(dan, session), NotASignerError)
  const other: Hex = `0x${'2f'.repeat(32)}`
  const input = { key: ada, session, seed: seedOf(ada), instance }
  assert.throws(() => signShare({ ...input, instance: other }), ForeignNonceError)
  assert.throws(() => signShare({ ...input, seed: other }), ForeignNonceError)
})

test('signShare: is a pure function', () => {
  const session = open([ada, bob, cyd])
  assert.equal(shareOf(ada, session), shareOf(ada, session))
})

test('nonceCommitment: same seed, instance and index, same pair; else another', () => {
  const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)
  const index = fc.nat(Number.MAX_SAFE_INTEGER)
  fc.assert(
    fc.property(word, word, index, (seed, run, at) => {
      const pair = nonceCommitment(ada, seed, run, at)
      assert.deepEqual(nonceCommitment(ada, seed, run, at), pair)
      assert.equal(pair.index, at)
      const flipped: Hex = `0x${(run.at(2) === '0' ? '1' : '0') + run.slice(3)}`
      const points = [
        pair,
        nonceCommitment(ada, seed, flipped, at),
        nonceCommitment(ada, flipped, run, at),
        nonceCommitment(ada, seed, run, at === 0 ? 1 : at - 1),
        nonceCommitment(bob, seed, run, at),
      ].flatMap(({ hiding, binding }) => [hiding, binding])
      assert.equal(new Set(points).size, 10)
    }),
    { numRuns: 5 },
  )
})

test('sessionDigest: changes with all that a share depends on, not with shares or height', () => {
  const session = open([ada, bob, cyd])
  const digest = sessionDigest(session)
  assert.equal(sessionDigest(signed(session)), digest)
  assert.equal(sessionDigest({ ...session, openedHeight: 21, openedMs: 21 }), digest)
  const [first, ...rest] = session.signers
  assert(first)
  const renumbered = { ...first, nonce: { ...first.nonce, index: 6 } }
  const others: readonly Session[] = [
    { ...session, attempt: 2 },
    { ...session, checkpoint: 10 },
    { ...session, message: `0x${'5b'.repeat(32)}` },
    { ...session, signers: [renumbered, ...rest] },
    { ...session, signers: rest },
    open([ada, bob, dan]),
  ]
  assert.equal(new Set([digest, ...others.map(sessionDigest)]).size, 1 + others.length)
})

test('verifyGroupSignature: anything malformed is false, not an error', () => {
  const signature = aggregate(signed(open([ada, bob, cyd])), groupKey) as Hex
  const point = signature.slice(2, 68)
  const negated = (point.startsWith('02') ? '03' : '02') + point.slice(2)
  const z = bytesToBigint(fromHex(`0x${signature.slice(68)}`))
  const word = (value: bigint) => value.toString(16).padStart(64, '0')
  const bad = [
    '0x',
    signature.slice(0, -2),
    `${signature}00`,
    `0x${negated}${word(z)}`,
    `0x${negated}${word(Scalar.ORDER - z)}`,
    `0x${point}${word(0n)}`,
    `0x${point}${word(Scalar.ORDER)}`,
    `0x${point}${word(2n ** 256n - 1n)}`,
    `0x04${point.slice(2)}${word(z)}`,
  ]
  for (const one of bad) assert(!verifyGroupSignature(groupKey, message, one as Hex), one)
  assert(!verifyGroupSignature('0x', message, signature))
})

test('signatureForL1, groupKeyForL1: the numbers satisfy the equation that L1 checks', () => {
  const domain = { l1ChainId: 31337, outbox: `0x${'c0'.repeat(20)}` } as const
  const possession = possessionMessage(domain)
  const signature = signTogether([bob, cyd, dan], possession, rngFrom(11))
  assert(verifyGroupSignature(groupKey, possession, signature))
  const { rx, ry, z } = signatureForL1(signature)
  const { px, py } = groupKeyForL1(groupKey)
  const challenge = challengeOf(
    parsePoint(signature.slice(0, 68) as Hex) as Point,
    parsePoint(groupKey) as Point,
    fromHex(possession),
  )
  const key = Point.fromAffine({ x: px, y: py })
  const right = Point.fromAffine({ x: rx, y: ry }).add(key.multiply(challenge))
  assert(Point.BASE.multiply(z).equals(right))
})

test('possessionMessage: another chain or another Outbox, another message', () => {
  const outbox: Hex = `0x${'c0'.repeat(20)}`
  const messages = [
    possessionMessage({ l1ChainId: 1, outbox }),
    possessionMessage({ l1ChainId: 2, outbox }),
    possessionMessage({ l1ChainId: 1, outbox: `0x${'c1'.repeat(20)}` }),
  ]
  assert.equal(new Set(messages).size, 3)
})
