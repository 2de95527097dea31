import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createPublicClient,
  createWalletClient,
  custom,
  defineChain,
  getContractAddress,
  type Hex,
  keccak256,
  pad,
  toHex,
} from 'viem'
import type { Verdict } from '#records'
import { createPool, type Pool } from '../pool/pool.ts'
import { readL2Genesis } from '../state/genesis.ts'
import {
  addressOf,
  bytesOf,
  chainId,
  createTestChain,
  ether,
  genesisTime,
  gwei,
  person,
  probeInitcode,
  signed,
  type TestChain,
  transfer,
} from '../test-support/chain.ts'
import { nativeRecover } from '../test-support/native-recover.ts'
import type { RpcMethod, RpcParts } from './parts.ts'
import { createEthereumRpc } from './rpc.ts'

const l2 = defineChain({
  id: chainId,
  name: 'test',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [] } },
})

const clientVersion = 'nodeop/1.2.3'

type Bench = {
  readonly methods: Record<string, RpcMethod>
  readonly chain: TestChain
  readonly pool: Pool
  /** Puts everything that waits into a block. */
  mine(): Promise<void>
}

async function createBench(): Promise<Bench> {
  const chain = await createTestChain()
  const { engine, genesis } = chain
  const pool = createPool({ engine, chain: readL2Genesis(genesis), recover: nativeRecover })
  const mine = async (): Promise<void> => {
    const raws = pool.take(1_000_000)
    const { dropped } = await chain.run(...raws.map((raw) => toHex(raw)))
    assert.deepEqual(dropped, [])
    await pool.committed(
      raws,
      raws.map((): Verdict => ({ ok: true })),
    )
  }
  return { methods: methodsOver(chain, pool), chain, pool, mine }
}

const methodsOver = ({ engine }: TestChain, pool: Pool, changes: Partial<RpcParts> = {}) =>
  createEthereumRpc({
    engine,
    pool,
    chainId,
    clientVersion,
    isBehind: () => false,
    submit: (raw) => pool.admit(raw),
    ...changes,
  })

const ask = async ({ methods }: Bench, method: string, ...params: unknown[]): Promise<unknown> => {
  const run = methods[method]
  assert.ok(run, method)
  const result = await run(params)
  assert.doesNotThrow(() => JSON.stringify(result), method)
  return result
}

const clientsOf = (bench: Bench) => {
  const request = ({ method, params }: { method: string; params?: unknown[] }) =>
    ask(bench, method, ...(params ?? []))
  const transport = custom({ request }, { retryCount: 0 })
  const options = { chain: l2, transport, cacheTime: 0, pollingInterval: 10 }
  return {
    reader: createPublicClient(options),
    wallet: createWalletClient({ ...options, account: person(0) }),
  }
}

test('viem: transfers, deploys, reads, logs and finds its receipts', async () => {
  const bench = await createBench()
  const { reader, wallet } = clientsOf(bench)
  const sent = await wallet.sendTransaction({ to: addressOf(9), value: ether })
  const pending = await reader.getTransaction({ hash: sent })
  assert.equal(pending.blockHash, null)
  assert.equal(await reader.getTransactionCount({ address: addressOf(0), blockTag: 'pending' }), 1)
  const created = await wallet.sendTransaction({ data: probeInitcode })
  await bench.mine()
  assert.equal(await reader.getBalance({ address: addressOf(9) }), ether)
  const { contractAddress, status } = await reader.getTransactionReceipt({ hash: created })
  assert.equal(status, 'success')
  assert.ok(contractAddress)
  const called = await wallet.sendTransaction({ to: contractAddress })
  await bench.mine()
  const receipt = await reader.getTransactionReceipt({ hash: called })
  assert.equal(receipt.logs.length, 1)
  const logs = await reader.getLogs({ address: contractAddress, fromBlock: 0n })
  assert.deepEqual(logs, receipt.logs)
  assert.equal((await reader.getCode({ address: contractAddress }))?.length, 86)
  const { data } = await reader.call({ to: contractAddress })
  assert.equal(data, pad('0x02'))
  assert.equal(
    await reader.getStorageAt({ address: contractAddress, slot: '0x0' }),
    (await reader.getBlock({ blockNumber: 1n })).hash,
  )
  const block = await reader.getBlock({ blockTag: 'finalized', includeTransactions: true })
  assert.deepEqual(
    block.transactions.map(({ hash }) => hash),
    [called],
  )
})

test('state: an older block answers with its own state', async () => {
  const bench = await createBench()
  await bench.chain.run(await transfer(0, 0, 9, { value: 5n }))
  await bench.chain.run(await transfer(0, 1, 9, { value: 6n }))
  const balanceAt = (block: unknown) => ask(bench, 'eth_getBalance', addressOf(9), block)
  assert.deepEqual(
    await Promise.all([balanceAt('earliest'), balanceAt('0x1'), balanceAt('latest')]),
    ['0x0', '0x5', '0xb'],
  )
  const { hash } = (await ask(bench, 'eth_getBlockByNumber', '0x1')) as { hash: Hex }
  assert.equal(await balanceAt({ blockHash: hash }), '0x5')
  await assert.rejects(balanceAt('0x9'), { rpcCode: -32000, message: 'header not found' })
})

test('eth_sendRawTransaction: refusals carry the messages of geth', async () => {
  const bench = await createBench()
  await bench.chain.run(await transfer(0, 0, 1))
  const first = await transfer(1, 0, 0)
  const send = (raw: Hex) => ask(bench, 'eth_sendRawTransaction', raw)
  assert.equal(await send(first), keccak256(first))
  const cases: [Hex, RegExp][] = [
    [first, /^already known$/],
    [await transfer(0, 0, 1), /^nonce too low: next nonce 1, tx nonce 0$/],
    [await transfer(8, 0, 1), /^insufficient funds for gas \* price \+ value: /],
    [await transfer(2, 0, 1, { gas: 5n }), /^intrinsic gas too low: /],
    [await transfer(2, 0, 1, { chainId: 1 }), /^invalid chain id for signer: have 1 want 77777$/],
    [await transfer(2, 0, 1, { gas: 40_000_000n }), /^exceeds block gas limit$/],
    [await transfer(1, 0, 2), /^replacement transaction underpriced$/],
    [
      await transfer(2, 0, 1, { maxFeePerGas: gwei / 2n, maxPriorityFeePerGas: 0n }),
      /^max fee per gas less than block base fee: /,
    ],
    ['0x00', /^transaction type not supported: 0$/],
    ['0xc0', /^rlp: /],
  ]
  for (const [raw, message] of cases) await assert.rejects(send(raw), { rpcCode: -32000, message })
  await assert.rejects(send('0x1'), {
    rpcCode: -32602,
    message: 'invalid argument 0: transaction must be 0x-prefixed hex',
  })
})

test('eth_sendRawTransaction: what no record can hold is refused before it is put into one', async () => {
  const bench = await createBench()
  const submit = () => assert.fail('it was put into a record')
  const methods = methodsOver(bench.chain, bench.pool, { submit })
  const raw = `0x02${'00'.repeat(128 * 1024)}`
  await assert.rejects(ask({ ...bench, methods }, 'eth_sendRawTransaction', raw), {
    rpcCode: -32000,
    message: 'oversized data: transaction size 131073, limit 131072',
    details: { data: { reason: 'OversizedTransaction' } },
  })
})

test('eth_call: a revert has code 3 and its data, a halt has geth’s words', async () => {
  const bench = await createBench()
  await bench.chain.run(await signed(0, 0, { data: probeInitcode, gas: 300_000n }))
  const to = ((await ask(bench, 'eth_getBlockReceipts', 'latest')) as { contractAddress: Hex }[])[0]
    ?.contractAddress
  const text = `0x08c379a0${pad('0x20').slice(2)}${pad('0x02').slice(2)}${'6e6f'.padEnd(64, '0')}`
  await assert.rejects(ask(bench, 'eth_call', { to, data: text }), {
    rpcCode: 3,
    message: 'execution reverted: no',
    details: { data: text },
  })
  await assert.rejects(ask(bench, 'eth_estimateGas', { to, input: '0x01' }), {
    rpcCode: 3,
    message: 'execution reverted',
  })
  await assert.rejects(ask(bench, 'eth_call', { to, gas: '0x5500' }), {
    rpcCode: -32000,
    message: 'out of gas',
  })
  await assert.rejects(ask(bench, 'eth_call', { from: addressOf(8), to, value: '0x1' }), {
    message: /^insufficient funds for gas \* price \+ value: /,
  })
})

test('eth_estimateGas: is enough, and not much more than enough', async () => {
  const bench = await createBench()
  assert.equal(
    await ask(bench, 'eth_estimateGas', { from: addressOf(0), to: addressOf(1), value: '0x1' }),
    '0x5208',
  )
  const gas = BigInt(
    (await ask(bench, 'eth_estimateGas', { from: addressOf(0), data: probeInitcode })) as string,
  )
  const { receipts } = await bench.chain.run(await signed(0, 0, { data: probeInitcode, gas }))
  const [receipt] = receipts
  assert.ok(receipt?.succeeded)
  assert.ok(Number(gas) < receipt.gasUsed * 1.02, `${gas} for ${receipt.gasUsed}`)
  const from = addressOf(0)
  const endless = { from, data: '0x5b600056', gas: '0x30d40' }
  await assert.rejects(ask(bench, 'eth_estimateGas', endless), {
    message: 'gas required exceeds allowance (200000)',
  })
})

test('EIP-7702: a wallet delegates an account and calls it, with the gas that it estimated', async () => {
  const bench = await createBench()
  const { wallet, reader } = clientsOf(bench)
  await bench.chain.run(await signed(0, 0, { data: probeInitcode, gas: 300_000n }))
  const probe = getContractAddress({ from: addressOf(0), nonce: 0n })
  const authorization = await person(3).signAuthorization({ address: probe, chainId, nonce: 0 })
  const message = { to: addressOf(3), authorizationList: [authorization] }
  // The probe's code stores two words and answers with the block's number.
  const answer = await reader.call({ account: addressOf(0), ...message })
  assert.equal(answer.data, pad('0x01'))
  const hash = await wallet.sendTransaction(message)
  const { gas } = await reader.getTransaction({ hash })
  await bench.mine()
  const { status, gasUsed, type } = await reader.getTransactionReceipt({ hash })
  assert.deepEqual([status, type], ['success', 'eip7702'])
  assert(gasUsed > 46_000n + 25_000n && gas < (gasUsed * 13n) / 10n, `${gas} for ${gasUsed}`)
  assert.equal(
    await reader.getCode({ address: addressOf(3) }),
    `0xef0100${probe.slice(2).toLowerCase()}`,
  )
  assert.equal(await reader.getTransactionCount({ address: addressOf(3) }), 1)
})

test('eth_getLogs: finds by address, topic and range, and refuses false ranges', async () => {
  const bench = await createBench()
  await bench.chain.run(await signed(0, 0, { data: probeInitcode, gas: 300_000n }))
  const [created] = (await ask(bench, 'eth_getBlockReceipts', '0x1')) as { contractAddress: Hex }[]
  assert.ok(created)
  const to = created.contractAddress
  for (const nonce of [1, 2]) await bench.chain.run(await signed(0, nonce, { to, gas: 200_000n }))
  const find = async (filter: object) =>
    (await ask(bench, 'eth_getLogs', filter)) as { blockNumber: Hex; topics: Hex[] }[]
  const all = await find({ fromBlock: 'earliest', address: [to] })
  assert.deepEqual(
    all.map(({ blockNumber }) => blockNumber),
    ['0x2', '0x3'],
  )
  const topic = all[1]?.topics[0]
  assert.deepEqual(await find({ fromBlock: '0x0', topics: [[topic]] }), all.slice(1))
  assert.deepEqual(await find({ fromBlock: '0x0', topics: [null, topic] }), [])
  assert.deepEqual(await find({ fromBlock: '0x0', topics: [[null]] }), all)
  assert.deepEqual(await find({ fromBlock: '0x0', topics: [[pad('0x01'), null, 'x']] }), all)
  assert.deepEqual(await find({ fromBlock: '0x0', toBlock: '0x2' }), all.slice(0, 1))
  assert.deepEqual(await find({ fromBlock: '0x0', address: addressOf(3) }), [])
  await assert.rejects(find({ fromBlock: '0x2', toBlock: '0x1' }), {
    rpcCode: -32602,
    message: 'invalid block range params',
  })
  await assert.rejects(find({ fromBlock: '0x2', toBlock: '0x9' }), {
    message: 'block range extends beyond current head block',
  })
})

test('fees: the history and the next price follow the blocks', async () => {
  const bench = await createBench()
  await bench.chain.run(await transfer(0, 0, 1))
  await bench.chain.run(await transfer(0, 1, 1))
  const history = (await ask(bench, 'eth_feeHistory', '0x2', 'latest', [0, 50])) as {
    oldestBlock: Hex
    baseFeePerGas: Hex[]
    gasUsedRatio: number[]
    reward: Hex[][]
  }
  assert.equal(history.oldestBlock, '0x1')
  assert.equal(history.baseFeePerGas.length, 3)
  assert.deepEqual(history.gasUsedRatio, [0.0007, 0.0007])
  assert.deepEqual(history.reward[0], [toHex(gwei), toHex(gwei)])
  const next = BigInt(history.baseFeePerGas[2] as Hex)
  assert.equal(await ask(bench, 'eth_gasPrice'), toHex(next + 1_000_000n))
  const pending = (await ask(bench, 'eth_getBlockByNumber', 'pending', false)) as {
    baseFeePerGas: Hex
    number: Hex
  }
  assert.deepEqual([pending.number, pending.baseFeePerGas], ['0x3', toHex(next)])
})

test('unknown blocks and transactions are null, malformed arguments are named', async () => {
  const bench = await createBench()
  const nothing = pad('0xdeadbeef')
  assert.equal(await ask(bench, 'eth_getBlockByHash', nothing, true), null)
  assert.equal(await ask(bench, 'eth_getBlockByNumber', '0x3e8', true), null)
  assert.equal(await ask(bench, 'eth_getTransactionByHash', nothing), null)
  assert.equal(await ask(bench, 'eth_getTransactionReceipt', nothing), null)
  assert.equal(await ask(bench, 'eth_getBlockTransactionCountByNumber', 'earliest'), '0x0')
  const faults: [string, unknown[], string][] = [
    ['eth_getBalance', [], 'missing value for required argument 0 (address)'],
    ['eth_getBalance', ['0x12'], 'invalid argument 0: address must be 20 bytes of hex'],
    ['eth_getBalance', [addressOf(0), 'soon'], 'invalid argument 1: block must be'],
    ['eth_getBlockByHash', ['0x', true], 'invalid argument 0: hash must be 32 bytes of hex'],
    ['eth_call', [{ to: 5 }], 'invalid argument 0: transaction.to must be 20 bytes of hex'],
    ['eth_getStorageAt', [addressOf(0), `0x${'0'.repeat(65)}`], 'storage key too long'],
    ['eth_getLogs', [{ topics: [1] }], 'invalid argument 0: topics must be 32 bytes of hex'],
    ['eth_feeHistory', ['0x1', 'latest', [50, 20]], 'invalid argument 2: rewardPercentiles'],
  ]
  for (const [method, params, message] of faults)
    await assert.rejects(ask(bench, method, ...params), (error: Error & { rpcCode?: number }) => {
      assert.equal(error.rpcCode, -32602)
      assert.ok(error.message.startsWith(message), error.message)
      return true
    })
})

test('eth_syncing: the block it has reached while it is behind, and false once it follows', async () => {
  const bench = await createBench()
  let isBehind = true
  const methods = methodsOver(bench.chain, bench.pool, { isBehind: () => isBehind })
  await ask(bench, 'eth_sendRawTransaction', await transfer(0, 0, 1))
  await bench.mine()
  assert.deepEqual(await ask({ ...bench, methods }, 'eth_syncing'), {
    startingBlock: '0x0',
    currentBlock: '0x1',
    highestBlock: '0x1',
  })
  isBehind = false
  assert.equal(await ask({ ...bench, methods }, 'eth_syncing'), false)
})

test('the chain introduces itself', async () => {
  const bench = await createBench()
  assert.equal(await ask(bench, 'eth_chainId'), toHex(chainId))
  assert.equal(await ask(bench, 'net_version'), String(chainId))
  assert.equal(await ask(bench, 'web3_clientVersion'), clientVersion)
  assert.equal(await ask(bench, 'eth_syncing'), false)
  assert.deepEqual(await ask(bench, 'eth_accounts'), [])
  const genesis = (await ask(bench, 'eth_getBlockByNumber', '0x0', false)) as { timestamp: Hex }
  assert.equal(genesis.timestamp, toHex(genesisTime))
  assert.equal(
    await ask(bench, 'eth_sendRawTransaction', await transfer(0, 0, 1)).then(typeOf),
    'string',
  )
  assert.deepEqual(bench.pool.take(1000), [bytesOf(await transfer(0, 0, 1))])
})

const typeOf = (value: unknown): string => typeof value
