import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getContractAddress, type Hex, keccak256, pad, toHex } from 'viem'
import type { Store } from '#primitives'
import { readL2Genesis } from '../state/genesis.ts'
import {
  addressOf,
  bytesOf,
  chainId,
  contextAt,
  createTestChain,
  ether,
  feeRecipient,
  gwei,
  person,
  probeInitcode,
  signed,
  testGenesis,
  transfer,
} from '../test-support/chain.ts'
import { nativeRecover } from '../test-support/native-recover.ts'
import { createStockVm, replay } from '../test-support/stock.ts'
import { createEngine } from './engine.ts'
import { createMemoryStore } from './memory-store.ts'

const latest = { by: 'latest' } as const
const probe = getContractAddress({ from: addressOf(0), nonce: 0n }).toLowerCase() as Hex

const call = (from: number, nonce: number, data: Hex = '0x') =>
  signed(from, nonce, { to: probe, data, gas: 200_000n })

const deploy = () => signed(0, 0, { data: probeInitcode, gas: 300_000n })

test('execute: every type of transaction gives what @ethereumjs/vm alone computes', async () => {
  const chain = await createTestChain()
  const authorization = await person(3).signAuthorization({ address: probe, chainId, nonce: 0 })
  const delegate = await person(2).signTransaction({
    type: 'eip7702',
    chainId,
    nonce: 0,
    gas: 300_000n,
    maxFeePerGas: 50n * gwei,
    maxPriorityFeePerGas: gwei,
    to: addressOf(3),
    authorizationList: [authorization],
  })
  const legacy = await person(1).signTransaction({
    type: 'legacy',
    chainId,
    nonce: 0,
    gas: 21_000n,
    gasPrice: 20n * gwei,
    to: addressOf(9),
    value: ether,
  })
  const listed = await person(1).signTransaction({
    type: 'eip2930',
    chainId,
    nonce: 1,
    gas: 200_000n,
    gasPrice: 20n * gwei,
    to: probe,
    accessList: [{ address: probe, storageKeys: [pad('0x01')] }],
  })
  await chain.run(await deploy(), legacy, listed)
  await chain.run(delegate, await call(4, 0), await call(5, 0, '0xdeadbeef'))
  await chain.run(await call(4, 1), await transfer(5, 1, 6), await transfer(6, 0, 5))
  const stock = await createStockVm(chain.genesis)
  for (const number of [0, 1, 2, 3]) await replay(stock, chain.engine, number)
  const head = await chain.engine.head()
  assert.equal(head.header.number, 3)
})

test('execute: of mixed lists, the valid give what @ethereumjs/vm alone computes', async () => {
  const chain = await createTestChain()
  const nonces = [0, 0, 0, 0, 0, 0, 0, 0]
  let dropped = 0
  for (let block = 0; block < 6; block++) {
    const list: Hex[] = []
    for (let i = 0; i < 8; i++) {
      const from = (block * 5 + i * 3) % 8
      const bad = (block + i) % 4 === 0
      list.push(await transfer(from, (nonces[from] ?? 0) + (bad ? 7 : 0), (i * 7 + block) % 10))
      if (!bad) nonces[from] = (nonces[from] ?? 0) + 1
    }
    dropped += (await chain.run(...list)).dropped.length
  }
  assert.equal(dropped, 12)
  const stock = await createStockVm(chain.genesis)
  for (let number = 0; number <= 6; number++) await replay(stock, chain.engine, number)
})

test('execute: BLOCKHASH and PREVRANDAO are those of the chain and of the context', async () => {
  const chain = await createTestChain()
  const first = await chain.run(await deploy())
  const second = await chain.run(await call(1, 0))
  const word = (slot: number) => chain.engine.storage(probe, pad(toHex(slot)), latest)
  assert.equal(await word(0), first.block?.hash)
  assert.equal(await word(1), contextAt(2, '0x').prevRandao)
  const [log] = second.receipts[0]?.logs ?? []
  assert.deepEqual(log, {
    address: probe,
    topics: [contextAt(2, '0x').prevRandao],
    data: pad('0x02'),
  })
})

test('execute: a revert is included and paid for, and leaves no log', async () => {
  const chain = await createTestChain()
  await chain.run(await deploy())
  const { receipts, dropped } = await chain.run(await call(1, 0, '0x01'))
  assert.deepEqual(dropped, [])
  assert.equal(receipts[0]?.succeeded, false)
  assert.deepEqual(receipts[0]?.logs, [])
  assert.equal((await chain.engine.account(addressOf(1), latest))?.nonce, 1n)
})

test('execute: what is invalid is dropped with its reason and without a trace', async () => {
  const chain = await createTestChain()
  const good = [await transfer(0, 0, 1), await transfer(1, 0, 2)]
  const bad: [Promise<Hex> | Hex, string][] = [
    [transfer(0, 0, 1), 'NonceTooLow'],
    [transfer(0, 5, 1), 'NonceTooHigh'],
    [transfer(8, 0, 1), 'InsufficientFunds'],
    [transfer(2, 0, 1, { value: 1000n * ether }), 'InsufficientFunds'],
    [transfer(2, 0, 1, { maxFeePerGas: 1n, maxPriorityFeePerGas: 0n }), 'MaxFeeBelowBaseFee'],
    [transfer(2, 0, 1, { gas: 20_999n }), 'IntrinsicGasTooLow'],
    [transfer(2, 0, 1, { gas: 16_777_217n }), 'TransactionGasLimitExceeded'],
    [transfer(2, 0, 1, { gas: 30_000_001n }), 'BlockGasLimitExceeded'],
    [transfer(2, 0, 1, { chainId: 1 }), 'WrongChainId'],
    ['0x02c0', 'MalformedTransaction'],
  ]
  const signedBad = await Promise.all(bad.map(([transaction]) => transaction))
  const mixed = await chain.run(...good, ...signedBad)
  assert.deepEqual(
    mixed.dropped.map(({ reason }) => reason),
    bad.map(([, reason]) => reason),
  )
  const clean = await (await createTestChain()).run(...good)
  assert.equal(mixed.block?.hash, clean.block?.hash)
})

test('execute: beyond the rest of the gas is dropped, a smaller one still fits', async () => {
  const genesis = testGenesis({ gasLimit: 1_000_000 })
  const chain = await createTestChain(genesis)
  const { dropped, receipts } = await chain.run(
    await signed(0, 0, { data: probeInitcode, gas: 600_000n }),
    await transfer(1, 0, 2, { gas: 990_000n }),
    await transfer(2, 0, 1),
  )
  assert.deepEqual(
    dropped.map(({ index, reason }) => [index, reason]),
    [[1, 'BlockGasExhausted']],
  )
  assert.equal(receipts.length, 2)
})

test('execute: nothing valid makes no block and leaves the state as it was', async () => {
  const chain = await createTestChain()
  const before = await chain.engine.head()
  const { block, dropped } = await chain.run(await transfer(8, 0, 1))
  assert.equal(block, undefined)
  assert.equal(dropped.length, 1)
  assert.deepEqual(await chain.engine.head(), before)
  const after = await chain.run(await transfer(0, 0, 1))
  assert.equal(after.block?.number, 1)
  const stock = await createStockVm(chain.genesis)
  for (const number of [0, 1]) await replay(stock, chain.engine, number)
})

test('execute: twice with the same input gives the same, also after later blocks', async () => {
  const chain = await createTestChain()
  const list = [bytesOf(await deploy()), bytesOf(await transfer(1, 0, 2))]
  const context = contextAt(1, readL2Genesis(chain.genesis).hash)
  const first = await chain.engine.execute(1, context, list)
  assert.deepEqual(await chain.engine.execute(1, context, list), first)
  assert.ok(first.block)
  const next = contextAt(2, first.block.hash)
  const second = await chain.engine.execute(2, next, [bytesOf(await call(1, 1))])
  assert.deepEqual(await chain.engine.execute(1, context, list), first)
  assert.equal((await chain.engine.head()).hash, first.block.hash)
  assert.equal(await chain.engine.block({ by: 'number', number: 2 }), undefined)
  const again = await chain.engine.execute(2, next, [bytesOf(await call(1, 1))])
  assert.deepEqual(again, second)
})

test('open: an existing store resumes at its head, another chain is refused', async () => {
  const genesis = testGenesis()
  const store = createMemoryStore()
  const options = { genesis, store, recover: nativeRecover }
  const before = await createEngine(options)
  const context = contextAt(1, readL2Genesis(genesis).hash)
  const { block } = await before.execute(1, context, [bytesOf(await deploy())])
  assert.ok(block)
  const after = await createEngine(options)
  assert.equal((await after.head()).hash, block.hash)
  const next = await after.execute(2, contextAt(2, block.hash), [bytesOf(await call(1, 0))])
  assert.equal(next.receipts[0]?.succeeded, true)
  const foreign = { ...options, genesis: testGenesis({ chainId: 5 }) }
  await assert.rejects(createEngine(foreign), { code: 'ForeignL2Store' })
})

test('open: the store of a version with other rows is refused', async () => {
  const genesis = testGenesis()
  const store = createMemoryStore()
  // The first version marked its store with the genesis alone.
  store.putBatch([[Uint8Array.of(8), keccak256(genesis, 'bytes')]])
  await assert.rejects(createEngine({ genesis, store, recover: nativeRecover }), {
    code: 'ForeignL2Store',
  })
})

test('reads: what needs a header alone reads no transactions', async () => {
  const kinds = new Set<number | undefined>()
  const rows = createMemoryStore()
  const store: Store = {
    ...rows,
    get: (key) => {
      kinds.add(key[0])
      return rows.get(key)
    },
  }
  const genesis = testGenesis()
  const engine = await createEngine({ genesis, store, recover: nativeRecover })
  const context = contextAt(1, readL2Genesis(genesis).hash)
  await engine.execute(1, context, [bytesOf(await deploy())])
  const transactions = 3
  kinds.clear()
  await engine.head()
  await engine.account(addressOf(0), latest)
  assert(!kinds.has(transactions))
  assert.equal((await engine.block(latest))?.transactions.length, 1)
  assert(kinds.has(transactions))
})

test('execute: an unknown parent is an error, and the engine goes on', async () => {
  const chain = await createTestChain()
  const unknown = contextAt(1, pad('0x01'))
  await assert.rejects(chain.engine.execute(1, unknown, []), { code: 'UnknownL2Parent' })
  assert.equal((await chain.run(await transfer(0, 0, 1))).block?.number, 1)
})

test('fees: the base fee is burnt and the tip goes to the fee recipient', async () => {
  const chain = await createTestChain()
  await chain.run(await transfer(0, 0, 1))
  const recipient = await chain.engine.account(feeRecipient, latest)
  assert.equal(recipient?.balance, 21_000n * gwei)
})

test('golden: the hashes of a fixed list stay what they are on every machine', async () => {
  const chain = await createTestChain()
  await chain.run(await deploy(), await transfer(1, 0, 2))
  const { block } = await chain.run(await call(1, 1), await call(2, 0, '0xff'))
  assert.equal(
    readL2Genesis(chain.genesis).hash,
    '0x4afb24f41420e675a497c8a3522e1a93634ee4d8aa8f3c334847b20dc6b7c3e5',
  )
  assert.equal(block?.hash, '0xfe354f2e0cdc1d7f37b211b97359d746bd66246acdfd27384f86b44ec27474f5')
})
