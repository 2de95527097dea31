import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Hex, keccak256 } from 'viem'
import type { Verdict } from '#records'
import { readL2Genesis } from '../state/genesis.ts'
import {
  addressOf,
  bytesOf,
  createTestChain,
  ether,
  gwei,
  signed,
  type TestChain,
  transfer,
} from '../test-support/chain.ts'
import { nativeRecover } from '../test-support/native-recover.ts'
import { createPool, maxWaitingBytes, type Pool } from './pool.ts'
import { maxBehindGap } from './sender-queue.ts'

const everything = [1_000_000, 30_000_000] as const

const newPool = (chain: TestChain): Pool =>
  createPool({ engine: chain.engine, chain: readL2Genesis(chain.genesis), recover: nativeRecover })

const codeOf = (verdict: Verdict): string => (verdict.ok ? 'ok' : verdict.reason)

const admitAll = async (pool: Pool, list: readonly Hex[]): Promise<string[]> => {
  const codes: string[] = []
  for (const raw of list) codes.push(codeOf(await pool.admit(bytesOf(raw))))
  return codes
}

/** Proposes what the pool gives, executes it and tells the pool. */
async function turn(pool: Pool, chain: TestChain): Promise<Hex[]> {
  const raws = pool.take(...everything)
  const list = raws.map((raw): Hex => `0x${Buffer.from(raw).toString('hex')}`)
  const { dropped } = await chain.run(...list)
  const results: Verdict[] = raws.map(() => ({ ok: true }))
  for (const { index, reason, detail } of dropped) results[index] = { ok: false, reason, detail }
  await pool.committed(raws, results)
  return list
}

test('admit: a sender that is recovered elsewhere meanwhile is no way in twice', async () => {
  const chain = await createTestChain()
  const asked: (() => void)[] = []
  const pool = createPool({
    ...{ engine: chain.engine, chain: readL2Genesis(chain.genesis), recover: nativeRecover },
    recoverLater: async (...signed) => {
      await new Promise<void>((resolve) => asked.push(resolve))
      return nativeRecover(...signed)
    },
  })
  const [first, second] = [await transfer(0, 0, 1), await transfer(0, 1, 1)]
  const verdicts = [first, first, second].map((raw) => pool.admit(bytesOf(raw)))
  for (const answer of asked) answer()
  assert.deepEqual((await Promise.all(verdicts)).map(codeOf), ['ok', 'AlreadyKnown', 'ok'])
  assert.equal(pool.executable(), 2)
})

test('admit: what can never run is refused with the reason that geth would give', async () => {
  const pool = newPool(await createTestChain())
  const first = await transfer(0, 0, 1)
  assert.deepEqual(
    await admitAll(pool, [
      first,
      first,
      await transfer(0, 1, 1, { value: 1000n * ether }),
      await transfer(8, 0, 1),
      await transfer(1, 0, 1, { maxFeePerGas: 5n, maxPriorityFeePerGas: 1n }),
      await transfer(1, 0, 1, { gas: 100n }),
      await transfer(1, 0, 1, { chainId: 4 }),
      '0x',
    ]),
    [
      'ok',
      'AlreadyKnown',
      'InsufficientFunds',
      'InsufficientFunds',
      'MaxFeeBelowBaseFee',
      'IntrinsicGasTooLow',
      'WrongChainId',
      'MalformedTransaction',
    ],
  )
})

test('admit: several at once of one sender lose nothing', async () => {
  const pool = newPool(await createTestChain())
  const list = await Promise.all([0, 1, 2, 3].map((nonce) => transfer(0, nonce, 1)))
  const verdicts = await Promise.all(list.map((raw) => pool.admit(bytesOf(raw))))
  assert.deepEqual(verdicts.map(codeOf), ['ok', 'ok', 'ok', 'ok'])
  assert.deepEqual(pool.take(...everything), list.map(bytesOf))
})

test('take: by arrival, each sender by nonce, nothing behind a gap', async () => {
  const pool = newPool(await createTestChain())
  const second = await transfer(0, 1, 1)
  const gapped = await transfer(1, 1, 0)
  const other = await transfer(2, 0, 0)
  const first = await transfer(0, 0, 1)
  await admitAll(pool, [second, gapped, other, first])
  assert.deepEqual(pool.take(...everything), [other, first, second].map(bytesOf))
  assert.deepEqual([pool.waiting(), pool.executable()], [4, 3])
  assert.equal(pool.pendingNonce(addressOf(0)), 2n)
  assert.equal(pool.pendingNonce(addressOf(1)), 0n)
  assert.equal(pool.pendingNonce(addressOf(5)), undefined)
})

test('take: stops at the bytes and the gas it was given, keeping a sender in order', async () => {
  const pool = newPool(await createTestChain())
  const large = await signed(0, 0, { to: addressOf(1), gas: 16_000_000n })
  const after = await transfer(0, 1, 1)
  const small = await transfer(1, 0, 0)
  await admitAll(pool, [large, after, small])
  assert.deepEqual(pool.take(1_000_000, 1_000_000), [bytesOf(small)])
  assert.deepEqual(pool.take(250, 30_000_000), [bytesOf(large)])
})

test('admit: a replacement needs a tenth more, and the replaced one ends', async () => {
  const pool = newPool(await createTestChain())
  const old = await transfer(0, 0, 1)
  const fees = { maxFeePerGas: 110n * gwei, maxPriorityFeePerGas: (11n * gwei) / 10n }
  const little = await transfer(0, 0, 1, { ...fees, maxFeePerGas: 109n * gwei })
  const enough = await transfer(0, 0, 1, fees)
  assert.deepEqual(await admitAll(pool, [old, little, enough]), [
    'ok',
    'ReplacementUnderpriced',
    'ok',
  ])
  assert.deepEqual(pool.take(...everything), [bytesOf(enough)])
  assert.equal(pool.reasonOf(keccak256(old)), 'Replaced')
})

test('admit: at most 64 wait behind a gap', async () => {
  const pool = newPool(await createTestChain())
  for (let i = 0; i < maxBehindGap; i++)
    assert.equal(codeOf(await pool.admit(bytesOf(await transfer(0, 1 + i, 1)))), 'ok')
  const beyond = await transfer(0, 1 + maxBehindGap, 1)
  assert.equal(codeOf(await pool.admit(bytesOf(beyond))), 'SenderQueueFull')
  assert.equal(codeOf(await pool.admit(bytesOf(await transfer(0, 0, 1)))), 'ok')
  assert.equal(codeOf(await pool.admit(bytesOf(beyond))), 'ok')
})

test('admit: bounded in bytes; what waits behind a gap makes room for what can run', async () => {
  const pool = newPool(await createTestChain())
  const big = { data: `0x${'00'.repeat(120_000)}` as Hex, gas: 1_300_000n }
  let count = 0
  while (pool.bytes() + 121_000 < maxWaitingBytes)
    assert.equal(codeOf(await pool.admit(bytesOf(await transfer(0, 1 + count++, 1, big)))), 'ok')
  assert.equal(count, 34)
  assert.equal(codeOf(await pool.admit(bytesOf(await transfer(1, 1, 1, big)))), 'PoolFull')
  const runs = await transfer(1, 0, 1, big)
  assert.equal(codeOf(await pool.admit(bytesOf(runs))), 'ok')
  assert.deepEqual([pool.waiting(), pool.bytes() <= maxWaitingBytes], [34, true])
  await pool.committed([bytesOf(runs)], [{ ok: true }])
  assert.equal(pool.waiting(), 33)
})

test('committed: included ones leave, others of the same nonce end, the rest stays', async () => {
  const chain = await createTestChain()
  const pool = newPool(chain)
  const mine = await transfer(0, 0, 1)
  const elsewhere = await transfer(0, 0, 2)
  const later = await transfer(0, 1, 1)
  await admitAll(pool, [mine, later])
  await chain.run(elsewhere)
  await pool.committed([bytesOf(elsewhere)], [{ ok: true }])
  assert.equal(pool.reasonOf(keccak256(mine)), 'NonceTooLow')
  assert.deepEqual(await turn(pool, chain), [later])
  assert.deepEqual([pool.waiting(), pool.executable()], [0, 0])
  assert.equal(pool.reasonOf(keccak256(later)), undefined)
})

test('committed: a sender that can no longer pay ends with that reason', async () => {
  const chain = await createTestChain()
  const pool = newPool(chain)
  const spend = await transfer(0, 0, 1, { value: 999n * ether })
  const unpaid = await transfer(0, 1, 1, { value: 500n * ether })
  assert.deepEqual(await admitAll(pool, [unpaid, spend]), ['ok', 'InsufficientFunds'])
  await chain.run(spend)
  await pool.committed([bytesOf(spend)], [{ ok: true }])
  assert.equal(pool.reasonOf(keccak256(unpaid)), 'InsufficientFunds')
})

test('pool: in whatever order they arrive, all are included once', async () => {
  const raws = await Promise.all(
    [0, 1, 2].flatMap((from) => [0, 1, 2, 3].map((nonce) => transfer(from, nonce, 5))),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(raws, { minLength: raws.length }),
      fc.nat(raws.length),
      async (order, cut) => {
        const chain = await createTestChain()
        const pool = newPool(chain)
        await admitAll(pool, order.slice(0, cut))
        const first = await turn(pool, chain)
        await admitAll(pool, order.slice(cut))
        const second = await turn(pool, chain)
        assert.deepEqual([...first, ...second].sort(), [...raws].sort())
        assert.deepEqual([pool.waiting(), pool.executable()], [0, 0])
      },
    ),
    { numRuns: 15 },
  )
})
