import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, type Hex, toHex } from '#primitives'
import { proposalSignBytes, voteSignBytes } from './sign-bytes.ts'
import { createSigner, createVerifier } from './signer.ts'
import { testNetwork } from './test-support/network.ts'

test('signer: RFC 8032 test 3 gives its public key and signature', async () => {
  const seed = fromHex('0xc5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7')
  const signer = createSigner(seed)
  assert.equal(
    signer.publicKey,
    '0xfc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
  )
  const slot = { height: 1, round: 0, step: 'prevote' } as const
  assert.deepEqual(await signer.sign(slot, fromHex('0xaf82')), {
    ok: true,
    signature:
      '0x6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
      '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  })
})

test('signer: a slot takes one digest, the same one again, and slots never go back', async () => {
  const signer = createSigner(new Uint8Array(32).fill(7))
  const one = Uint8Array.of(1)
  const two = Uint8Array.of(2)
  const refused = { ok: false, reason: 'SignRefused' }
  const prevote = { height: 5, round: 1, step: 'prevote' } as const
  const first = await signer.sign(prevote, one)
  assert(first.ok)
  assert.deepEqual(await signer.sign(prevote, one), first)
  assert.deepEqual(await signer.sign(prevote, two), refused)
  assert((await signer.sign({ ...prevote, step: 'precommit' }, two)).ok)
  assert.deepEqual(await signer.sign(prevote, one), refused)
  assert.deepEqual(await signer.sign({ ...prevote, step: 'proposal' }, one), refused)
  assert.deepEqual(await signer.sign({ ...prevote, round: 0 }, one), refused)
  assert.deepEqual(await signer.sign({ ...prevote, height: 4, round: 9 }, one), refused)
  assert((await signer.sign({ ...prevote, height: 6, round: 0 }, one)).ok)
})

test('signer: a restored guard refuses what contradicts the log', async () => {
  const signer = createSigner(new Uint8Array(32).fill(7))
  const slot = { height: 5, round: 1, step: 'precommit' } as const
  await signer.restore(slot, Uint8Array.of(1))
  assert.equal((await signer.sign(slot, Uint8Array.of(2))).ok, false)
  assert.equal((await signer.sign(slot, Uint8Array.of(1))).ok, true)
})

test('verifier: accepts the signature over these bytes by this key and no other', async () => {
  const signer = createSigner(new Uint8Array(32).fill(9))
  const bytes = Uint8Array.of(1, 2, 3)
  const signed = await signer.sign({ height: 1, round: 0, step: 'prevote' }, bytes)
  assert(signed.ok)
  const verify = createVerifier()
  const { signature } = signed
  const flipped = fromHex(signature)
  flipped[3] = (flipped[3] ?? 0) ^ 1
  for (let twice = 0; twice < 2; twice++) {
    assert.equal(verify(signer.publicKey, bytes, signature), true)
    assert.equal(verify(signer.publicKey, Uint8Array.of(1, 2, 4), signature), false)
    assert.equal(verify(signer.publicKey, bytes, toHex(flipped)), false)
    assert.equal(verify(createSigner(flipped.subarray(0, 32)).publicKey, bytes, signature), false)
  }
})

test('sign bytes: network, kind, height, round and value all make a difference', () => {
  const value: Hex = `0x${'ab'.repeat(32)}`
  const other: Hex = `0x${'cd'.repeat(32)}`
  const ballot = { step: 'prevote', height: 3, round: 1, value, validator: other } as const
  const offer = { height: 3, round: 1, value, validRound: -1, proposer: other }
  const all = [
    voteSignBytes(testNetwork, ballot),
    voteSignBytes(other, ballot),
    voteSignBytes(testNetwork, { ...ballot, step: 'precommit' }),
    voteSignBytes(testNetwork, { ...ballot, height: 4 }),
    voteSignBytes(testNetwork, { ...ballot, round: 2 }),
    voteSignBytes(testNetwork, { ...ballot, value: undefined }),
    voteSignBytes(testNetwork, { ...ballot, value: other }),
    proposalSignBytes(testNetwork, offer),
    proposalSignBytes(testNetwork, { ...offer, validRound: 0 }),
    proposalSignBytes(testNetwork, { ...offer, value: other }),
    proposalSignBytes(other, offer),
  ].map(toHex)
  assert.equal(new Set(all).size, all.length)
})
