import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { appHash, taskOf } from '#protocol'
import { resultDigest, type Statement } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import {
  commits,
  introduce,
  reasonsOf,
  reveals,
  testSalt,
} from '../../../test/support/ledger-script.ts'

/** A network with one task, whose committee has committed what `resultOf` says. */
function committed(resultOf: (id: number) => number | Uint8Array = () => 9) {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  introduce(network)
  const task = network.task()
  network.block([task])
  network.block()
  const id = network.idOf(task)
  network.block(commits(network, resultOf))
  const said = (changes: Partial<Statement & { kind: 'reveal' }> = {}) =>
    ({
      kind: 'reveal',
      task: id,
      attempt: 1,
      result: new Uint8Array([9]),
      salt: testSalt,
      ...changes,
    }) as const
  return { network, id, said, taskNow: () => taskOf(network.ledger, id) ?? assert.fail() }
}

test('reveal: the result stands in the task when it is what the digest hid', () => {
  const { network, said, taskNow } = committed()
  assert.equal(taskNow().status, 'revealing')
  assert.deepEqual(reasonsOf(network.block([network.report(1, [said()])])), ['ok'])
  const member = taskNow().committee.find(({ operator }) => operator === 1)
  assert.deepEqual(member?.result, new Uint8Array([9]))
})

test('reveal: what does not fit the digest, the attempt, the service or the time is refused', () => {
  const { network, said } = committed((id) => (id === 2 ? new Uint8Array([9, 9]) : 9))
  const reports = [
    network.report(1, [said({ result: new Uint8Array([8]) })]),
    network.report(1, [said({ salt: said().task })]),
    network.report(1, [said({ attempt: 2 })]),
    network.report(1, [said({ task: testSalt })]),
    network.report(2, [said({ result: new Uint8Array([9, 9]) })]),
    network.report(1, [said()]),
    network.report(1, [said()]),
  ]
  assert.deepEqual(reasonsOf(network.block(reports)), [
    'DigestMismatch',
    'DigestMismatch',
    'WrongAttempt',
    'UnknownTask',
    'InvalidResult',
    'ok',
    'AlreadyHeld',
  ])
  network.block([], 3_000)
  assert.deepEqual(reasonsOf(network.block([network.report(3, [said()])])), ['WrongAttempt'])
})

test('reveal: before commits have closed, and without a commit, there is nothing to reveal', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  introduce(network)
  const task = network.task()
  network.block([task])
  network.block()
  const result = new Uint8Array([9])
  const said = {
    kind: 'reveal',
    task: network.idOf(task),
    attempt: 1,
    result,
    salt: testSalt,
  } as const
  assert.deepEqual(reasonsOf(network.block([network.report(1, [said])])), ['RevealsClosed'])
  network.block(commits(network, (id) => (id === 4 ? undefined : 9)))
  assert.deepEqual(reasonsOf(network.block([network.report(4, [said])])), ['NothingCommitted'])
})

test('reveal: a copied digest does not open with the copied result', () => {
  const network = new LedgerNetwork(4)
  introduce(network)
  const task = network.task()
  network.block([task])
  network.block()
  const id = network.idOf(task)
  const result = new Uint8Array([9])
  const digest = resultDigest({ task: id, attempt: 1, operator: 1, result, salt: testSalt })
  const commitOf = (operator: number) =>
    network.report(operator, [{ kind: 'commit', task: id, attempt: 1, digest }])
  network.block([1, 2, 3].map(commitOf))
  const revealOf = (operator: number) =>
    network.report(operator, [{ kind: 'reveal', task: id, attempt: 1, result, salt: testSalt }])
  assert.deepEqual(reasonsOf(network.block([1, 2].map(revealOf))), ['ok', 'DigestMismatch'])
})

test('reveal: their order within a block makes no difference, to the result or to the ledger', () => {
  const hashes = new Set<string>()
  const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 })
  fc.assert(
    fc.property(order, (places) => {
      const { network, taskNow } = committed((id) => 100 + id)
      const reports = reveals(network, (id) => 100 + id)
      network.block(places.flatMap((place) => reports[place] ?? []))
      assert.deepEqual(taskNow().result, new Uint8Array([102]))
      hashes.add(appHash(network.ledger))
      assert.equal(hashes.size, 1)
    }),
    { numRuns: 12 },
  )
})
