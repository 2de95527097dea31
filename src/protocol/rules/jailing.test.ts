import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { totalPower } from '#protocol'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { jail, jailDoubleVoters } from './jailing.ts'

const networkOf = (powers: readonly bigint[]) => {
  const { genesis } = new LedgerNetwork(7, {}, idealCrypto)
  const operators = genesis.operators.map((one, i) => ({ ...one, power: powers[i] ?? 1n }))
  return new LedgerNetwork(7, { operators }, idealCrypto)
}

test('jail: an operator loses its vote, once', () => {
  const { ledger } = networkOf([])
  const jailed = jail(ledger, 3)
  const { status, power } = jailed.operators.get('3') ?? assert.fail()
  assert.deepEqual([status, power, totalPower(jailed)], ['jailed', 0n, 6n])
  assert.equal(jail(jailed, 3), jailed)
  assert.equal(jail(ledger, 9), ledger)
})

test('jail: whoever is jailed, more than two thirds of the power at genesis go on voting', () => {
  const power = fc.bigInt(1n, 9n)
  const plan = fc.tuple(
    fc.array(power, { minLength: 7, maxLength: 7 }),
    fc.array(fc.integer({ min: 1, max: 7 })),
  )
  fc.assert(
    fc.property(plan, ([powers, ids]) => {
      const { ledger } = networkOf(powers)
      const total = totalPower(ledger)
      const left = ids.reduce(jail, ledger)
      assert(totalPower(left) * 3n > total * 2n)
      for (const { id, status } of left.operators.values())
        assert.equal(status === 'jailed', ids.includes(id))
    }),
    { numRuns: 50 },
  )
})

test('jail: whoever voted twice is jailed by its consensus key, once; strangers change nothing', () => {
  const { ledger, operators } = networkOf([])
  const { consensusKey } = operators[2] ?? assert.fail()
  const twice = { consensusKey, height: 1 }
  const jailed = jailDoubleVoters(ledger, [twice, { ...twice, height: 2 }])
  assert.equal(jailed.operators.get('3')?.status, 'jailed')
  assert.equal(totalPower(jailed), 6n)
  assert.equal(jailDoubleVoters(jailed, [twice]), jailed)
  const stranger = { consensusKey: `0x${'ee'.repeat(32)}`, height: 1 } as const
  assert.equal(jailDoubleVoters(ledger, [stranger]), ledger)
})
