import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  bigintToBytes,
  bytesToBigint,
  fromHex,
  type Hex,
  type Rng,
  sha256,
  toHex,
  utf8,
} from '#primitives'
import {
  CommitteeError,
  type DkgBroadcast,
  type DkgDeal,
  decodeKeyPackage,
  dkgRound1,
  dkgRound2,
  dkgRound3,
  encodeKeyPackage,
  groupKeyForL1,
  isUsableGroupKey,
  type KeyPackage,
  signTogether,
  thresholdFor,
  trustedDealer,
  UnsignableSessionError,
  verifyGroupSignature,
} from './index.ts'

/** Reproducible bytes: SHA-256 of a name and a counter. */
function rngFrom(name: string): Rng {
  let count = 0
  return (length) => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
      sha256(utf8(`${name}/${count++}`)),
    )
    return new Uint8Array(blocks.flatMap((block) => [...block])).slice(0, length)
  }
}

const message = toHex(sha256(utf8('message')))

/** Rounds 1 and 2 of a whole group, as their network would run them. */
function deal(operators: readonly number[], threshold: number) {
  const firsts = operators.map((operator) =>
    dkgRound1({ operator, operators, threshold }, rngFrom(`operator ${operator}`)),
  )
  const broadcasts = firsts.map(({ broadcast }) => broadcast)
  const seconds = firsts.map(({ state }) => {
    const second = dkgRound2(state, without(broadcasts, state.plan.operator))
    assert(second.ok)
    return second
  })
  return { firsts, broadcasts, seconds, deals: seconds.flatMap(({ deals }) => deals) }
}

const without = (broadcasts: readonly DkgBroadcast[], operator: number) =>
  broadcasts.filter((one) => one.operator !== operator)

const to = (deals: readonly DkgDeal[], operator: number) =>
  deals.filter((one) => one.to === operator)

function generate(operators: readonly number[], threshold: number): readonly KeyPackage[] {
  const { seconds, deals } = deal(operators, threshold)
  return seconds.map(({ state }) => {
    const third = dkgRound3(state, to(deals, state.plan.operator))
    assert(third.ok)
    return third.key
  })
}

const plusOne = (scalar: Hex): Hex => toHex(bigintToBytes(bytesToBigint(fromHex(scalar)) + 1n, 32))

test('thresholdFor: more than two thirds', () => {
  assert.deepEqual([2, 3, 4, 7, 10, 100].map(thresholdFor), [2, 3, 3, 5, 7, 67])
})

for (const n of [4, 7, 10]) {
  test(`key generation: of ${n} operators any t sign and t - 1 cannot`, () => {
    const operators = Array.from({ length: n }, (_, i) => 2 * i + 1)
    const threshold = thresholdFor(n)
    const keys = generate(operators, threshold)
    for (const key of keys) {
      assert.equal(key.groupKey, keys[0]?.groupKey)
      assert.deepEqual(key.verifyingShares, keys[0]?.verifyingShares)
      assert.equal(key.verifyingShares.get(key.operator), key.verifyingShare)
      assert(isUsableGroupKey(key.groupKey))
    }
    const groupKey = keys[0]?.groupKey as Hex
    const rotated = (by: number) => [...keys.slice(by), ...keys.slice(0, by)].slice(0, threshold)
    const committees = [...[0, 1, 2, 3].map(rotated), keys]
    for (const committee of committees) {
      const signature = signTogether(committee, message, rngFrom('nonces'))
      assert(verifyGroupSignature(groupKey, message, signature))
    }
    const tooFew = keys.slice(0, threshold - 1)
    assert.throws(() => signTogether(tooFew, message, rngFrom('nonces')), UnsignableSessionError)
    // Nor can they by pretending that fewer were enough.
    const pretending = tooFew.map((key) => ({ ...key, threshold: 2 }))
    assert.throws(
      () => signTogether(pretending, message, rngFrom('nonces')),
      UnsignableSessionError,
    )
  })
}

test('key generation: rounds leave their input as it was and repeat exactly', () => {
  const operators = [1, 2, 3, 4]
  const { firsts, broadcasts, seconds, deals } = deal(operators, 3)
  const first = firsts[0]
  const second = seconds[0]
  assert(first && second)
  assert.deepEqual(dkgRound2(first.state, without(broadcasts, 1)), second)
  const once = dkgRound3(second.state, to(deals, 1))
  assert.deepEqual(dkgRound3(second.state, to(deals, 1)), once)
  const shuffled = dkgRound2(first.state, without(broadcasts, 1).reverse())
  assert.deepEqual(shuffled, second)
})

test('key generation: a broadcast that proves nothing names its sender', () => {
  const { firsts, broadcasts } = deal([1, 2, 3, 4], 3)
  const state = firsts[0]?.state
  const [, two, three, four] = broadcasts
  assert(state && two && three && four)
  const cheats: readonly DkgBroadcast[] = [
    { ...three, proof: two.proof },
    { ...three, proof: `0x${'00'.repeat(65)}` },
    { ...three, proof: '0x' },
    { ...three, commitment: [...three.commitment].reverse() },
    { ...three, commitment: three.commitment.slice(1) },
    { ...three, commitment: [three.commitment[0] as Hex, `0x${'05'.repeat(33)}`, '0x'] },
    { ...two, operator: 3 },
  ]
  for (const cheat of cheats)
    assert.deepEqual(dkgRound2(state, [two, cheat, four]), {
      ok: false,
      reason: 'BadProof',
      operators: [3],
    })
})

test('key generation: a deal that contradicts its commitment names its dealer', () => {
  const { seconds, deals } = deal([1, 2, 3, 4], 3)
  const state = seconds[0]?.state
  assert(state)
  const mine = to(deals, 1)
  const cheats: readonly ((share: Hex) => Hex)[] = [
    plusOne,
    () => `0x${'00'.repeat(32)}`,
    () => `0x${'ff'.repeat(32)}`,
    () => '0x01',
  ]
  for (const cheat of cheats) {
    const forged = mine.map((one) =>
      one.from === 2 || one.from === 4 ? { ...one, share: cheat(one.share) } : one,
    )
    assert.deepEqual(dkgRound3(state, forged), {
      ok: false,
      reason: 'BadDeal',
      operators: [2, 4],
    })
  }
})

test('key generation: missing, doubled and foreign packages are named', () => {
  const { firsts, seconds, broadcasts, deals } = deal([1, 2, 3, 4], 3)
  const first = firsts[0]?.state
  const second = seconds[0]?.state
  const [one, two, three, four] = broadcasts
  assert(first && second && one && two && three && four)
  const missing = (operators: number[]) => ({ ok: false, reason: 'MissingPackage', operators })
  assert.deepEqual(dkgRound2(first, [two, three]), missing([4]))
  assert.deepEqual(dkgRound2(first, [two, three, three, four]), missing([3]))
  assert.deepEqual(dkgRound2(first, [one, two, three, four]), missing([1]))
  assert.deepEqual(dkgRound2(first, [two, three, four, { ...four, operator: 9 }]), missing([9]))
  assert.deepEqual(dkgRound3(second, to(deals, 1).slice(1)), missing([2]))
  // What is addressed to somebody else does not count.
  assert.deepEqual(dkgRound3(second, to(deals, 2)), missing([2, 3, 4]))
})

test('key generation: impossible committees are refused', () => {
  const rng = rngFrom('any')
  const plans = [
    { operators: [1, 2, 2], threshold: 2 },
    { operators: [0, 1, 2], threshold: 2 },
    { operators: [1, 2, 70_000], threshold: 2 },
    { operators: [1, 2, 3], threshold: 1 },
    { operators: [1, 2, 3], threshold: 4 },
    { operators: [1, 2, 3], threshold: 2.5 },
    { operators: [2, 3, 4], threshold: 2 },
    { operators: Array.from({ length: 201 }, (_, i) => i + 1), threshold: 3 },
  ]
  for (const plan of plans)
    assert.throws(() => dkgRound1({ operator: 1, ...plan }, rng), CommitteeError)
  assert.throws(() => trustedDealer(1, 1, rng), CommitteeError)
})

test('key package: survives the keystore', () => {
  const [key] = trustedDealer(4, 3, rngFrom('dealer'))
  assert(key)
  assert.deepEqual(decodeKeyPackage(encodeKeyPackage(key)), key)
})

test('isUsableGroupKey: x at or above the group order is refused', () => {
  const { ORDER } = secp256k1.Point.Fn
  const compressed = (x: bigint) => toHex(bigintToBytes((2n << 256n) | x, 33))
  const around = Array.from({ length: 16 }, (_, i) => ORDER - 8n + BigInt(i)).filter((x) =>
    secp256k1.utils.isValidPublicKey(fromHex(compressed(x))),
  )
  assert(around.some((x) => x < ORDER) && around.some((x) => x > ORDER))
  for (const x of around) assert.equal(isUsableGroupKey(compressed(x)), x < ORDER)
  assert(!isUsableGroupKey('0x'))
})

test('groupKeyForL1: coordinates on the curve, parity as in the compressed form', () => {
  const field = 2n ** 256n - 2n ** 32n - 977n
  for (const name of ['a', 'b', 'c', 'd']) {
    const groupKey = trustedDealer(2, 2, rngFrom(name))[0]?.groupKey as Hex
    const { px, py, parity } = groupKeyForL1(groupKey)
    assert.equal((py * py - px ** 3n - 7n) % field, 0n)
    assert.equal(groupKey, toHex(bigintToBytes((BigInt(2 + parity) << 256n) | px, 33)))
  }
})
