import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validatorsOf, validatorUpdates } from '#protocol'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { execute, LedgerNetwork } from '../../test/support/ledger-network.ts'

test('validators: a block with a double vote takes that vote away, and nothing else', () => {
  const { ledger, operators, environment, timeMs } = new LedgerNetwork(4, {}, idealCrypto)
  const [first, second] = operators
  assert(first && second)
  const block = {
    ...{
      height: 1,
      timeMs,
      proposer: first.consensusKey,
      transactions: [],
      hash: ledger.chain.mix,
    },
    misbehaviour: [{ consensusKey: second.consensusKey, height: 1 }],
  }
  const after = execute(ledger, block, environment).ledger
  assert.deepEqual(validatorUpdates(ledger, after), [
    { consensusKey: second.consensusKey, power: 0n },
  ])
  assert.deepEqual(
    validatorsOf(after).map(({ power }) => power),
    [1n, 0n, 1n, 1n],
  )
  assert.deepEqual(validatorUpdates(after, after), [])
  const again = execute(after, { ...block, height: 2 }, environment).ledger
  assert.equal(again, after, 'who is jailed already changes nothing')
})
