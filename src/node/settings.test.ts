import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from './settings.ts'

const plain = {
  operator: 3,
  gateway: {},
  l1Url: 'http://127.0.0.1:8545',
  cometbft: { peers: [] },
}
const read = (changes: object) =>
  readSettings('operator.json', JSON.stringify({ ...plain, ...changes }))

test('settings: what an operator declares is read as the ledger takes it', () => {
  const costs = { sums: '7', price: '250000000000000' }
  assert.deepEqual(read({ declares: { capacity: 300, costs, group: 'acme' } }).declares, {
    capacity: 300,
    costs: [
      { service: 'price', cost: 250_000_000_000_000n },
      { service: 'sums', cost: 7n },
    ],
    group: 'acme',
  })
  assert.deepEqual(read({ declares: { capacity: 0 } }).declares, {
    capacity: 0,
    costs: [],
    group: '',
  })
  assert.equal(read({}).declares, undefined)
})

test('settings: what cannot be declared is named', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{}, /^operator\.json: declares\.capacity: /],
    [{ capacity: -1 }, /^operator\.json: declares\.capacity: /],
    [
      { capacity: 1, group: 'Acme' },
      /declares\.group: up to 32 of a-z, 0-9, - and \. are expected$/,
    ],
    [{ capacity: 1, costs: { price: 'much' } }, /declares\.costs\.price: an amount of wei is/],
    [{ capacity: 1, cost: 1 }, /declares: /],
  ]
  for (const [declares, message] of cases)
    assert.throws(() => read({ declares }), { code: 'BadSettings', message })
})
