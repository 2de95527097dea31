import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { defaultFeePolicy, quoteFees, raiseFees } from './fees.ts'

const gwei = 10n ** 9n
const base = fc.bigInt(0n, 100n * gwei)

test('quoteFees: twice the base fee and the tip, below the ceiling', () => {
  const fees = quoteFees(defaultFeePolicy, 20n * gwei)
  assert.deepEqual(fees, { maxFeePerGasWei: 41n * gwei, tipPerGasWei: gwei })
  assert.equal(quoteFees(defaultFeePolicy, 400n * gwei).maxFeePerGasWei, 500n * gwei)
})

test('raiseFees: both fees rise by an eighth or more, and cover what the block asks now', () =>
  fc.assert(
    fc.property(base, base, (then, now) => {
      const before = quoteFees(defaultFeePolicy, then)
      const quote = quoteFees(defaultFeePolicy, now)
      const after = raiseFees(defaultFeePolicy, before, quote)
      assert(after)
      assert(after.maxFeePerGasWei * 8n >= before.maxFeePerGasWei * 9n)
      assert(after.tipPerGasWei * 8n >= before.tipPerGasWei * 9n)
      assert(after.maxFeePerGasWei >= quote.maxFeePerGasWei)
    }),
  ))

test('raiseFees: nothing is raised above the ceiling', () => {
  const quote = quoteFees(defaultFeePolicy, 230n * gwei)
  assert.equal(raiseFees(defaultFeePolicy, quote, quote), undefined)
})
