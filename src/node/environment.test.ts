import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex, utf8 } from '#primitives'
import { priceSpec } from '#services/price'
import { writeL2Genesis } from '#services/sequencer'
import { realCrypto } from '../../test/support/ledger-crypto.ts'
import { LedgerNetwork, seededBytes } from '../../test/support/ledger-network.ts'
import { createEnvironment } from './environment.ts'
import { createPassedCalls } from './passed-calls.ts'

const { genesis } = new LedgerNetwork(4)
const state = writeL2Genesis({
  chainId: 7,
  timestamp: 1,
  feeRecipient: `0x${'11'.repeat(20)}`,
  balances: [],
})
const sequencerSpec = {
  ...priceSpec,
  name: 'sequencer',
  mode: 'replicated',
  rule: 'replicated',
} as const
const services = [
  { spec: { ...priceSpec, fee: priceSpec.fee }, state: new Uint8Array() },
  { spec: sequencerSpec, state },
]

test('environment: has the services that the genesis names, on the genesis’ terms', () => {
  const spec = { ...priceSpec, committee: 7 }
  const environment = createEnvironment({
    ...genesis,
    services: [{ spec, state: new Uint8Array() }],
  })
  assert.deepEqual([...environment.services.keys()], ['price'])
  assert.equal(environment.services.get('price')?.spec.committee, 7)
})

test('environment: a service that this binary lacks is named', () => {
  for (const wrong of [
    { ...priceSpec, name: 'weather' },
    { ...priceSpec, mode: 'replicated' } as const,
  ]) {
    const asked = { ...genesis, services: [{ spec: wrong, state: new Uint8Array() }] }
    assert.throws(() => createEnvironment(asked), {
      code: 'UnknownService',
      message: `no ${wrong.mode} service "${wrong.name}" in this binary`,
    })
  }
})

test('environment: signers and randomness are what plain code finds, asked twice as once', () => {
  const environment = createEnvironment({ ...genesis, services })
  const rng = seededBytes(3)
  const secret = rng(32)
  const digest = toHex(rng(32))
  const signature = realCrypto.signDigest(digest, secret)
  const key = realCrypto.vrfKeyOf(secret)
  const alpha = utf8('alpha')
  const proof = realCrypto.proveRandomness(secret, alpha)
  for (let time = 0; time < 2; time++) {
    assert.equal(environment.recoverAddress(digest, signature), realCrypto.addressOf(secret))
    assert.equal(environment.recoverAddress(digest, '0x00'), undefined)
    const beta = environment.verifyRandomness(key, alpha, proof)
    assert.deepEqual(beta, realCrypto.verifyRandomness(key, alpha, proof))
    assert.equal(environment.verifyRandomness(key, utf8('beta'), proof), undefined)
  }
})

test('environment: a call that is known to pass is not checked again', () => {
  const passed = createPassedCalls()
  const sequencer = createEnvironment({ ...genesis, services }, passed).services.get('sequencer')
  assert(sequencer && 'begin' in sequencer)
  const payload = new Uint8Array([1, 2, 3])
  assert.equal(sequencer.check(payload).ok, false)
  assert.equal(sequencer.check(payload).ok, false, 'a refusal is not remembered as passed')
  passed.add('sequencer', payload)
  assert.equal(sequencer.check(payload).ok, true)
})
