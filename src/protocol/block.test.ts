import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { appHash, beginBlock, endBlock, nextDueMs } from '#protocol'
import { encodeTransaction } from '#records'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { execute, LedgerNetwork } from '../../test/support/ledger-network.ts'
import { agreeOnTask, publishNonces, reasonsOf } from '../../test/support/ledger-script.ts'

test('block: undecodable bytes are refused one by one and stop nothing', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const { ledger } = network
  const bytes = [new Uint8Array([1]), new Uint8Array(), new Uint8Array(300).fill(7)]
  assert.deepEqual(reasonsOf(network.rawBlock(bytes)), Array(3).fill('BadEncoding'))
  assert.equal(network.ledger, ledger)
  const [first, second] = [network.randomness(), network.task()].map(encodeTransaction)
  assert(first && second)
  assert.deepEqual(reasonsOf(network.rawBlock([first, ...bytes, second])), [
    'ok',
    ...Array(3).fill('BadEncoding'),
    'ok',
  ])
})

test('block: an empty one without anything due leaves the ledger the same value, however late', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  network.block(publishNonces(network))
  const before = network.ledger
  network.rawBlock([], 1_000_000_000)
  assert.equal(network.ledger, before)
  assert.equal(nextDueMs(before), undefined)
})

test('block: one of refused transactions alone is as good as an empty one', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  network.block(publishNonces(network))
  const { ledger } = network
  const bytes = [network.task({ maxFee: 1n as never }), network.report(1, [])].map(
    encodeTransaction,
  )
  const results = network.rawBlock([...bytes, new Uint8Array([9])], 20_000)
  assert.deepEqual(reasonsOf(results), ['FeeTooLow', 'NothingNew', 'BadEncoding'])
  assert.equal(network.ledger, ledger, 'not even the epoch moves')
})

test('block: it tells what it decoded, for whoever follows', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const task = network.task()
  const block = {
    height: 1,
    timeMs: network.timeMs + 1,
    proposer: network.operators[0]?.consensusKey ?? '0x',
    transactions: [new Uint8Array([1]), encodeTransaction(task)],
    misbehaviour: [],
    hash: network.ledger.chain.mix,
  } as const
  const begun = beginBlock(network.ledger, block, network.environment)
  assert.deepEqual(begun.transactions, [undefined, task])
})

test('block: a call without its computation is a defect, not another ledger', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  network.block([{ kind: 'call', service: 'tally', payload: new Uint8Array([1]) }])
  const block = network.blocks[0] ?? assert.fail()
  const { ledger } = new LedgerNetwork(4, {}, idealCrypto)
  const begun = beginBlock(ledger, block, network.environment)
  assert.equal(begun.computations.length, 1)
  assert.throws(() => endBlock(begun, [], network.environment), /one output a computation/)
})

test('block: the same one on the same ledger gives the same hash, and leaves the ledger alone', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  network.block(publishNonces(network))
  agreeOnTask(network)
  const make = fc.constantFrom(
    () => network.task(),
    () => network.task({ service: 'text' }),
    () => network.report(2, [{ kind: 'vote', parameter: 'windowS', value: 5n }]),
    () => ({ kind: 'call', service: 'tally', payload: new Uint8Array([3]) }) as const,
  )
  fc.assert(
    fc.property(fc.array(make, { maxLength: 5 }), (makers) => {
      const before = network.ledger
      const hash = appHash(before)
      network.block(makers.map((one) => one()))
      const block = network.blocks.at(-1) ?? assert.fail()
      const again = execute(before, block, network.environment)
      assert.equal(appHash(again.ledger), appHash(network.ledger))
      assert.equal(appHash(before), hash)
    }),
    { numRuns: 25 },
  )
})
