import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Hex } from '#primitives'
import { createL1Client, defaultFeePolicy, signerFromKey } from './index.ts'
import { manualClock } from './test-support/clock.ts'
import { fundedKey, startProxy, startTestL1, submitterKey, type TestL1 } from './test-support/l1.ts'

const gwei = 10n ** 9n
const to: Hex = `0x${'0a'.repeat(20)}`
const call = { to, data: '0x', valueWei: 1n, gas: 21_000n } as const

let l1: TestL1
let nextAccount = 1
before(async () => {
  l1 = await startTestL1()
})
after(() => l1.stop())

/** An account nobody used yet, on a clock that the test moves. */
function freshAccount(more: Parameters<TestL1['account']>[1] = {}) {
  const privateKey = fundedKey(nextAccount++)
  const clock = manualClock()
  const account = l1.account(privateKey, { clock, ...more })
  const { address } = account
  const used = () => l1.client.getTransactionCount({ address })
  return { account, clock, privateKey, used }
}

test('send: several calls at once land in one block, in order', async () => {
  const { account, clock, used } = freshAccount()
  const sent = [1n, 2n, 3n].map((valueWei) => account.send({ ...call, valueWei }))
  await until(async () => (await pooled(account.address)).length === 3)
  await l1.mine()
  await clock.fire()
  const outcomes = await Promise.all(sent)
  const values = outcomes.map(async (outcome) => {
    assert(outcome.ok && outcome.receipt.success)
    const { transaction } = outcome.receipt
    const { nonce, value } = await l1.client.getTransaction({ hash: transaction })
    return [nonce, value]
  })
  assert.deepEqual(await Promise.all(values), [
    [0, 1n],
    [1, 2n],
    [2, 3n],
  ])
  assert.equal(await used(), 3)
})

test('send: a transaction that is stuck is replaced by one that offers more', async () => {
  const digests: Hex[] = []
  const beforeSign = (_: number, digest: Hex) => void digests.push(digest)
  const { account, clock, used } = freshAccount({ replaceAfterBlocks: 2, beforeSign })
  const sent = account.send(call)
  await clock.armed()
  const [stuck] = await pooled(account.address)
  assert(stuck)
  await raiseBaseFee(BigInt(stuck.maxFeePerGas) * 4n)
  for (let block = 0; block < 2; block++) {
    await l1.mine()
    await clock.step()
  }
  await l1.mine()
  await clock.fire()
  const outcome = await sent
  assert(outcome.ok)
  assert.notEqual(outcome.receipt.transaction, stuck.hash)
  assert.equal(await used(), 1, 'one nonce, one transaction')
  assert(digests.length >= 2 && new Set(digests).size === 1, 'a raise is the same call')
  await raiseBaseFee(gwei)
})

test('send: when a stranger with our key takes the nonce, the call gets the next', async () => {
  const { account, clock, privateKey, used } = freshAccount()
  const sent = account.send(call)
  await clock.armed()
  const transaction = { ...fixed, chainId: 31_337, nonce: 0, gas: 21_000n, value: 7n }
  const raw = await signerFromKey(privateKey).signTransaction(transaction)
  await l1.client.sendRawTransaction({ serializedTransaction: raw })
  for (let block = 0; block < 2; block++) {
    await l1.mine()
    await clock.step()
  }
  await l1.mine()
  await clock.fire()
  const outcome = await sent
  assert(outcome.ok)
  const { nonce, value } = await l1.client.getTransaction({ hash: outcome.receipt.transaction })
  assert.deepEqual([nonce, value, await used()], [1, 1n, 2])
})

test('send: a call that the account cannot pay for is refused, and blocks nothing', async () => {
  const { account, clock, used } = freshAccount()
  const refused = await account.send({ ...call, valueWei: 10n ** 30n })
  assert.deepEqual(refused, { ok: false, reason: 'InsufficientL1Funds' })
  const sent = account.send(call)
  await clock.armed()
  await l1.mine()
  await clock.fire()
  assert((await sent).ok)
  assert.equal(await used(), 1)
})

test('send: a call that would revert is refused before anything is signed', async () => {
  const beforeSign = () => assert.fail('nothing may be signed')
  const { account } = freshAccount({ beforeSign })
  const { gas: _, ...unmeasured } = call
  const reverting = { ...unmeasured, to: l1.serviceManager, data: '0xffffffff' } as const
  assert.deepEqual(await account.send(reverting), { ok: false, reason: 'CallReverts' })
})

test('send: what the guard refuses never leaves the account', async () => {
  const beforeSign = () => {
    throw new Error('signed before')
  }
  const { account, used } = freshAccount({ beforeSign })
  assert.deepEqual(await account.send(call), { ok: false, reason: 'GuardRefused' })
  assert.deepEqual(await pooled(account.address), [])
  assert.equal(await used(), 0)
})

test('send: a signer that fails refuses the call', async () => {
  const signer = {
    address: to,
    signTransaction: () => Promise.reject(new Error('locked')),
  }
  const { account } = freshAccount({ signer })
  assert.deepEqual(await account.send(call), { ok: false, reason: 'SignerFailed' })
})

test('send: answers that get lost neither lose the call nor send it twice', async () => {
  const proxy = await startProxy(l1.url)
  const client = createL1Client(proxy.url)
  const { account, clock, used } = freshAccount({ client, beforeSign: () => proxy.cut(true) })
  const sent = account.send(call)
  await clock.step() // one failed check
  await clock.step() // and another
  await l1.mine()
  proxy.cut(false)
  await clock.fire()
  const outcome = await sent
  assert(outcome.ok)
  assert.equal(await used(), 1)
  assert.equal(account.lines.filter((line) => line.includes('does not answer')).length, 1)
  await proxy.stop()
})

test('send: with no node there, the call is refused at once', async () => {
  const { account } = freshAccount({ client: createL1Client('http://127.0.0.1:1') })
  assert.deepEqual(await account.send(call), { ok: false, reason: 'L1Unreachable' })
})

test('send: a call that no block takes is given up, and the next takes its nonce', async () => {
  const fees = { ...defaultFeePolicy, maxFeePerGasWei: 30n * gwei }
  const { account, clock, used } = freshAccount({ fees, giveUpAfterBlocks: 3 })
  const sent = account.send(call)
  await clock.armed()
  await raiseBaseFee(100n * gwei)
  for (let block = 0; block < 3; block++) {
    await l1.mine()
    await clock.step()
  }
  assert.deepEqual(await sent, { ok: false, reason: 'NotMined' })
  await raiseBaseFee(gwei)
  const next = account.send({ ...call, valueWei: 2n })
  await until(async () => (await pooled(account.address)).some(({ value }) => value === '0x2'))
  await l1.mine()
  await clock.fire()
  const outcome = await next
  assert(outcome.ok)
  const { value } = await l1.client.getTransaction({ hash: outcome.receipt.transaction })
  assert.deepEqual([value, await used()], [2n, 1])
})

test('send: an account that was stopped ends what is in flight, and takes no more', async () => {
  const { account, clock } = freshAccount()
  const sent = account.send(call)
  await clock.armed()
  account.stop()
  assert.deepEqual(await sent, { ok: false, reason: 'AccountStopped' })
  assert.deepEqual(await account.send(call), { ok: false, reason: 'AccountStopped' })
  await l1.mine()
})

test('send: an account that is stopped while it prepares a call signs nothing', async () => {
  const signed: number[] = []
  const { account } = freshAccount({ beforeSign: (nonce) => void signed.push(nonce) })
  const sent = account.send(call)
  await new Promise((resolve) => setImmediate(resolve))
  account.stop()
  assert.deepEqual(await sent, { ok: false, reason: 'AccountStopped' })
  assert.deepEqual(signed, [])
})

test('send: an account takes sixteen calls at a time', async () => {
  const account = l1.account(submitterKey(3), { clock: manualClock() })
  const sent = Array.from({ length: 17 }, () => account.send(call))
  assert.deepEqual(await sent[16], { ok: false, reason: 'AccountBusy' })
  account.stop()
  await Promise.all(sent)
})

/** A dear transaction to ourselves. */
const fixed = {
  type: 'eip1559',
  to,
  data: '0x',
  maxFeePerGas: 100n * gwei,
  maxPriorityFeePerGas: 50n * gwei,
} as const

type Pooled = { hash: Hex; from: Hex; maxFeePerGas: Hex; value: Hex }

/** An account's transactions that wait for a block. */
async function pooled(address: Hex): Promise<Pooled[]> {
  const content = (await l1.request('txpool_content')) as {
    pending: Record<string, Record<string, Pooled>>
  }
  const own = Object.entries(content.pending).find(([from]) => from.toLowerCase() === address)
  return Object.values(own?.[1] ?? {})
}

const raiseBaseFee = (baseFeeWei: bigint) =>
  l1.request('anvil_setNextBlockBaseFeePerGas', `0x${baseFeeWei.toString(16)}`)

/** Asks until it is so; a test that never sees it fails by the runner's limit. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await l1.client.getBlockNumber()
}
