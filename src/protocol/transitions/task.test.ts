import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Wei } from '#primitives'
import { appHash, applyTransaction, balanceOf, taskOf } from '#protocol'
import { encodeTransaction, type Transaction } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork, totalWei } from '../../../test/support/ledger-network.ts'
import { reasonsOf, testSalt } from '../../../test/support/ledger-script.ts'
import { maxOpenTasks } from '../rules/tasks.ts'

const rich = (network: LedgerNetwork) => balanceOf(network.ledger, network.client.address)

test('task: an accepted one reserves its fee and waits for its draw', () => {
  const network = new LedgerNetwork(4)
  const task = network.task()
  assert.deepEqual(reasonsOf(network.block([task])), ['ok'])
  const accepted = taskOf(network.ledger, network.idOf(task))
  assert.deepEqual([accepted?.status, accepted?.fee, accepted?.attempt], ['accepted', 1_000n, 0])
  assert.equal(rich(network), 999_000n)
})

test('task: refusals name what is wrong and leave the ledger the same value', () => {
  const network = new LedgerNetwork(4)
  const known = network.task()
  const stranger = network.task()
  network.block([known])
  network.block()
  const refused: [Transaction, string][] = [
    [known, 'KnownTask'],
    [network.task({ service: 'nothing' }), 'UnknownService'],
    [network.task({ service: 'tally' }), 'UnknownService'],
    [network.task({ maxFee: 999n as Wei }), 'FeeTooLow'],
    [network.task({ payload: new Uint8Array() }), 'BadPayload'],
    [network.task({ validUntilMs: 1 }), 'TaskTooLate'],
    [network.task({ validUntilMs: Number.MAX_SAFE_INTEGER }), 'TaskTooEarly'],
    [network.task({ client: network.genesis.outbox }), 'BadSignature'],
    [{ ...stranger, request: { ...stranger.request, salt: testSalt } }, 'BadSignature'],
  ]
  for (const [transaction, reason] of refused) {
    const before = network.ledger
    assert.deepEqual(reasonsOf(network.rawBlock([encodeTransaction(transaction)], 1)), [reason])
    assert.equal(network.ledger, before)
  }
})

test('task: a client without the fee is refused', () => {
  const network = new LedgerNetwork(4, { accounts: [] })
  assert.deepEqual(reasonsOf(network.block([network.task()])), ['InsufficientBalance'])
})

test('task: whatever is asked, nothing is lost and the ledger before stays what it was', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const total = totalWei(network.ledger)
  const request = fc.record({
    service: fc.constantFrom('byte', 'text', 'tally', ''),
    payload: fc.uint8Array({ maxLength: 2 }),
    maxFee: fc.bigInt(0n, 2_000n).map((fee) => fee as Wei),
    validUntilMs: fc.integer({ min: -10, max: 4_000_000 }).map((ms) => network.timeMs + ms),
  })
  fc.assert(
    fc.property(request, (changes) => {
      const { ledger } = network
      const hash = appHash(ledger)
      const [result] = network.block([network.task(changes)], 1)
      assert.equal(totalWei(network.ledger), total)
      assert.equal(appHash(ledger), hash)
      const paid = balanceOf(ledger, network.client.address) - rich(network)
      assert.equal(result?.ok === true, paid > 0n)
    }),
    { numRuns: 60 },
  )
})

test('task: no more are open than the bound says', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const block = { height: 1, timeMs: network.timeMs, proposer: '0x' } as const
  const applyWith = (open: number) => {
    const { ledger, environment } = network
    const full = { ...ledger, tasks: { ...ledger.tasks, size: open } }
    return applyTransaction(full, network.task(), block, environment)
  }
  assert.equal(applyWith(maxOpenTasks - 1).ok, true)
  assert.deepEqual(applyWith(maxOpenTasks), { ok: false, reason: 'TooManyTasks' })
})
