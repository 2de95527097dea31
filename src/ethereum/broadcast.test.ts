import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classify } from './broadcast.ts'

const words = {
  accepted: ['already known', 'transaction already imported', 'AlreadyKnown'],
  'nonce-used': ['nonce too low: next nonce 5, tx nonce 4', 'nonce too low', 'OldNonce'],
  underpriced: [
    'replacement transaction underpriced',
    'transaction underpriced: tip needed 1000000',
    'fee too low to replace',
  ],
  'below-base-fee': [
    'max fee per gas less than block base fee',
    'max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 2',
  ],
  'no-funds': [
    'insufficient funds for gas * price + value: address 0x1 have 0 want 1',
    'Insufficient funds for gas * price + value',
    'InsufficientFunds, Account balance: 0',
  ],
} as const

test('classify: what the nodes of the field say is understood', () => {
  for (const [kind, messages] of Object.entries(words))
    for (const message of messages) assert.deepEqual(classify(message), { kind }, message)
})

test('classify: anything else is a rejection that keeps its words', () => {
  const message = 'intrinsic gas too low'
  assert.deepEqual(classify(message), { kind: 'rejected', message })
})
