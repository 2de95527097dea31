import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { appHash, taskOf } from '#protocol'
import type { Statement } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import {
  commits,
  introduce,
  reasonsOf,
  reveals,
  testSalt,
} from '../../../test/support/ledger-script.ts'

/** A network with one drawn task. */
function drawn(n = 4) {
  const network = new LedgerNetwork(n, {}, idealCrypto)
  introduce(network)
  const task = network.task()
  network.block([task])
  network.block()
  const id = network.idOf(task)
  const taskNow = () => taskOf(network.ledger, id) ?? assert.fail()
  const said = (changes: Partial<Statement & { kind: 'commit' }> = {}) =>
    ({ kind: 'commit', task: id, attempt: 1, digest: testSalt, ...changes }) as const
  return { network, id, taskNow, said }
}

test('commit: the digest and the block that holds it stand in the task', () => {
  const { network, taskNow, said } = drawn()
  assert.deepEqual(reasonsOf(network.block([network.report(1, [said()])])), ['ok'])
  const member = taskNow().committee.find(({ operator }) => operator === 1)
  assert.deepEqual(
    [member?.digest, member?.committedAt, member?.result],
    [testSalt, network.height, undefined],
  )
})

test('commit: who is not asked, or was asked something else, is refused', () => {
  const { network, said, taskNow } = drawn(7)
  const committee = taskNow().committee.map(({ operator }) => operator)
  const stranger = network.operators.find(({ id }) => !committee.includes(id))?.id ?? 0
  const [member = 0] = committee
  const reports = [
    network.report(stranger, [said()]),
    network.report(member, [said({ attempt: 2 })]),
    network.report(member, [said({ task: testSalt })]),
    network.report(member, [said()]),
    network.report(member, [said()]),
  ]
  assert.deepEqual(reasonsOf(network.block(reports)), [
    'NotInCommittee',
    'WrongAttempt',
    'UnknownTask',
    'ok',
    'AlreadyHeld',
  ])
})

test('commit: it is too late once more than two thirds were in at the end of a block', () => {
  const { network, said, taskNow } = drawn()
  const [first, second, third, fourth] = commits(network, () => 1)
  assert(first && second && third && fourth)
  network.block([first, second])
  assert.equal(taskNow().status, 'committing')
  network.block([third])
  assert.equal(taskNow().status, 'revealing')
  assert.deepEqual(reasonsOf(network.block([fourth])), ['CommitsClosed'])
  network.block(reveals(network, () => 1))
  assert.deepEqual(reasonsOf(network.block([network.report(4, [said()])])), ['CommitsClosed'])
})

test('commit: a jailed member still answers for what it was drawn for', () => {
  const { network, said } = drawn()
  const jailed = network.operator(2) ?? assert.fail()
  network.ledger = {
    ...network.ledger,
    operators: network.ledger.operators.set('2', { ...jailed, status: 'jailed', power: 0n }),
  }
  assert.deepEqual(reasonsOf(network.block([network.report(2, [said()])])), ['ok'])
})

test('commit: their order within a block makes no difference', () => {
  const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 })
  const hashes = new Set<string>()
  fc.assert(
    fc.property(order, (places) => {
      const { network } = drawn()
      const reports = commits(network, (id) => id)
      network.block(places.flatMap((place) => reports[place] ?? []))
      hashes.add(appHash(network.ledger))
      assert.equal(hashes.size, 1)
    }),
    { numRuns: 12 },
  )
})
