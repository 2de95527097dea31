import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wei } from '#primitives'
import { encodeTransaction, isDuty, type Transaction } from './transaction.ts'

test('transaction: what operators send is told from its first byte', () => {
  const signature = `0x${'00'.repeat(65)}` as const
  const word = `0x${'00'.repeat(32)}` as const
  const client = `0x${'00'.repeat(20)}` as const
  const said = { network: word, operator: 1, sequence: 1, instance: word }
  const request = { client, service: 'price', payload: new Uint8Array(), salt: word }
  const kinds: readonly (readonly [Transaction, boolean])[] = [
    [{ kind: 'randomness', proof: `0x${'00'.repeat(80)}` }, false],
    [{ kind: 'l1-events', events: [] }, true],
    [{ kind: 'task', request: { ...request, maxFee: wei(0n), validUntilMs: 0 }, signature }, false],
    [{ kind: 'call', service: 'sequencer', payload: new Uint8Array() }, false],
    [{ kind: 'report', report: { ...said, statements: [] }, signature }, true],
  ]
  for (const [transaction, isOne] of kinds)
    assert.equal(isDuty(encodeTransaction(transaction)), isOne, transaction.kind)
  assert(!isDuty(new Uint8Array()))
})
