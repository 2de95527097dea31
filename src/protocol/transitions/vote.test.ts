import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nextDueMs, parameter, parameterDefinitions, parameterNames } from '#protocol'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { introduce, reasonsOf } from '../../../test/support/ledger-script.ts'

function voting(n = 4) {
  const network = new LedgerNetwork(n, {}, idealCrypto)
  introduce(network)
  const say = (id: number, value: bigint, name = 'windowS') =>
    network.report(id, [{ kind: 'vote', parameter: name, value }])
  return { network, say }
}

test('vote: a value is in force after the delay, once more than two thirds agree', () => {
  const { network, say } = voting()
  network.block([say(1, 8n), say(2, 8n)])
  assert.equal(network.ledger.scheduled.size, 0)
  network.block([say(3, 8n)])
  assert.equal(network.ledger.scheduled.get('windowS')?.value, 8n)
  assert.equal(network.ledger.votes.size, 0, 'what is decided needs no votes any more')
  assert.equal(nextDueMs(network.ledger), network.timeMs + 10_000)
  network.rawBlock([], 9_999)
  assert.equal(parameter(network.ledger, 'windowS'), 4)
  network.rawBlock([], 1)
  assert.equal(parameter(network.ledger, 'windowS'), 8)
})

test('vote: unknown names, values out of bounds and repetition are refused', () => {
  const { network, say } = voting()
  const { min, max } = parameterDefinitions.windowS
  const votes = [
    say(1, min - 1n),
    say(1, max + 1n),
    say(1, 2n ** 256n - 1n),
    say(1, 5n, 'toString'),
    say(1, 5n),
    say(1, 5n),
  ]
  assert.deepEqual(reasonsOf(network.block(votes)), [
    'OutOfBounds',
    'OutOfBounds',
    'OutOfBounds',
    'UnknownParameter',
    'ok',
    'AlreadyHeld',
  ])
})

test('vote: whoever votes what, parameters stay in bounds and one operator has one vote', () => {
  const ballot = fc.record({
    id: fc.integer({ min: 1, max: 4 }),
    name: fc.constantFrom(...parameterNames),
    value: fc.constantFrom('min', 'max', 'initial'),
  })
  fc.assert(
    fc.property(fc.array(ballot, { maxLength: 40 }), (ballots) => {
      const { network, say } = voting()
      for (const { id, name, value } of ballots)
        network.block([say(id, parameterDefinitions[name][value as 'min'], name)], 3_000)
      assert(network.ledger.votes.size <= parameterNames.length * 4)
      for (const name of parameterNames) {
        const { min, max } = parameterDefinitions[name]
        const now = BigInt(parameter(network.ledger, name))
        assert(min <= now && now <= max, name)
      }
    }),
    { numRuns: 20 },
  )
})

test('parameters: those that belong together cannot be set against each other', () => {
  const { noncesLow, noncesPublished, deliveryGraceMs, deliveryLimitMs } = parameterDefinitions
  assert(noncesLow.max < noncesPublished.min)
  assert(deliveryGraceMs.max < deliveryLimitMs.min)
  for (const name of parameterNames) {
    const { min, initial, max } = parameterDefinitions[name]
    assert(min <= initial && initial <= max, name)
    assert(max <= BigInt(Number.MAX_SAFE_INTEGER), name)
  }
})
