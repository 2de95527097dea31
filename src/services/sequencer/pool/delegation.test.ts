import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getContractAddress, type Hex, keccak256 } from 'viem'
import type { Verdict } from '#records'
import { readL2Genesis } from '../state/genesis.ts'
import {
  addressOf,
  bytesOf,
  chainId,
  createTestChain,
  gwei,
  person,
  signed,
  type TestChain,
  transfer,
} from '../test-support/chain.ts'
import { nativeRecover } from '../test-support/native-recover.ts'
import { createPool, type Pool } from './pool.ts'

/** Gives all that the account holds to whoever calls it: SELFBALANCE CALLER GAS CALL. */
const drain = getContractAddress({ from: addressOf(0), nonce: 0n })
const drainRuntime = '5f5f5f5f47335af100'
const drainInitcode = `0x68${drainRuntime}5f5260096017f3` as const

/** A transaction of `from` that delegates accounts to the drain; each signs for its nonce. */
async function delegate(
  from: number,
  nonce: number,
  accounts: readonly (readonly [account: number, nonce: number])[],
  changes: { chainId?: number; maxFeePerGas?: bigint } = {},
): Promise<Hex> {
  const authorizationList = await Promise.all(
    accounts.map(([account, at]) =>
      person(account).signAuthorization({
        address: drain,
        chainId: changes.chainId ?? chainId,
        nonce: at,
      }),
    ),
  )
  return person(from).signTransaction({
    type: 'eip7702',
    chainId,
    nonce,
    gas: 500_000n,
    maxFeePerGas: changes.maxFeePerGas ?? 50n * gwei,
    maxPriorityFeePerGas: changes.maxFeePerGas ?? gwei,
    to: addressOf(9),
    authorizationList,
  })
}

async function createBench(): Promise<{ chain: TestChain; pool: Pool }> {
  const chain = await createTestChain()
  await chain.run(await signed(0, 0, { data: drainInitcode, gas: 300_000n }))
  const { engine, genesis } = chain
  const pool = createPool({ engine, chain: readL2Genesis(genesis), recover: nativeRecover })
  return { chain, pool }
}

const admit = async (pool: Pool, raw: Hex | Promise<Hex>): Promise<string> => {
  const verdict: Verdict = await pool.admit(bytesOf(await raw))
  return verdict.ok ? 'ok' : verdict.reason
}

/** Executes what the pool proposes, or a block of others. */
async function turn({ chain, pool }: { chain: TestChain; pool: Pool }, ...others: Hex[]) {
  const raws = others.length > 0 ? others.map(bytesOf) : pool.take(1_000_000)
  const list = raws.map((raw): Hex => `0x${Buffer.from(raw).toString('hex')}`)
  assert.deepEqual((await chain.run(...list)).dropped, [])
  await pool.committed(
    raws,
    raws.map((): Verdict => ({ ok: true })),
  )
}

test('delegated: one transaction of the account waits, without a gap, and may be replaced', async () => {
  const bench = await createBench()
  const { pool } = bench
  await turn(bench, await delegate(2, 0, [[3, 0]]))
  assert.equal(await admit(pool, transfer(3, 2, 1)), 'DelegatedNonceGap')
  assert.equal(await admit(pool, transfer(3, 1, 1)), 'ok')
  assert.equal(await admit(pool, transfer(3, 2, 1)), 'DelegatedSenderBusy')
  const more = { maxFeePerGas: 120n * gwei, maxPriorityFeePerGas: 2n * gwei }
  assert.equal(await admit(pool, transfer(3, 1, 1, more)), 'ok')
  await turn(bench)
  assert.equal(await admit(pool, transfer(3, 2, 1)), 'ok')
})

test('delegated: what others drained or used ends what waits, with its reason', async () => {
  const bench = await createBench()
  const { pool } = bench
  await turn(
    bench,
    await delegate(2, 0, [
      [3, 0],
      [4, 0],
    ]),
  )
  const poor = await transfer(3, 1, 1)
  const used = await transfer(4, 1, 1)
  assert.deepEqual([await admit(pool, poor), await admit(pool, used)], ['ok', 'ok'])
  await turn(
    bench,
    await signed(5, 0, { to: addressOf(3), gas: 100_000n }),
    await delegate(2, 1, [[4, 1]]),
  )
  assert.equal(pool.reasonOf(keccak256(poor)), 'InsufficientFunds')
  assert.equal(pool.reasonOf(keccak256(used)), 'NonceTooLow')
  assert.equal(pool.waiting(), 0)
})

test('authorities: whom a waiting transaction would delegate is bound as if it were', async () => {
  const bench = await createBench()
  const { pool } = bench
  const first = await delegate(2, 0, [[3, 0]])
  assert.equal(await admit(pool, first), 'ok')
  assert.equal(await admit(pool, transfer(3, 1, 1)), 'DelegatedNonceGap')
  assert.equal(await admit(pool, transfer(3, 0, 1)), 'ok')
  assert.equal(await admit(pool, transfer(3, 1, 1)), 'DelegatedSenderBusy')
  // One that names nobody takes its place: the account is free again.
  assert.equal(
    await admit(pool, delegate(2, 0, [[3, 0]], { chainId: 1, maxFeePerGas: 90n * gwei })),
    'ok',
  )
  assert.equal(pool.reasonOf(keccak256(first)), 'Replaced')
  assert.equal(await admit(pool, transfer(3, 1, 1)), 'ok')
})

test('authorities: who has more than one transaction waiting is not to be delegated', async () => {
  const { pool } = await createBench()
  for (const nonce of [0, 1]) assert.equal(await admit(pool, transfer(3, nonce, 1)), 'ok')
  assert.equal(await admit(pool, transfer(4, 0, 1)), 'ok')
  assert.equal(await admit(pool, delegate(2, 0, [[3, 2]])), 'AuthorityReserved')
  assert.equal(
    await admit(
      pool,
      delegate(2, 0, [
        [4, 1],
        [5, 0],
      ]),
    ),
    'ok',
  )
})
