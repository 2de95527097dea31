import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { createFaultyDisk, type FaultyDisk } from '../../../test/support/faulty-disk.ts'
import { ManualClock, silentLogger } from '../../../test/support/manual-clock.ts'
import { openGuard } from './guard.ts'
import { NonceHeldError, transactionGuard } from './transaction-guard.ts'

const hex = (text: string): Hex => sha256Hex(utf8(text))
const patienceMs = 64_000

/** One process's account guard on a disk, and an L1 that says what it holds. */
async function start(disk: FaultyDisk) {
  const guard = await openGuard({
    ...{ disk, networkId: hex('network'), operator: hex('operator'), logger: silentLogger },
    rng: (length) => new Uint8Array(length).fill(1),
  })
  const clock = new ManualClock()
  const l1 = { pending: 0, asked: 0 }
  const ask = transactionGuard({
    ...{ guard, nowMs: clock.nowMs, patienceMs, logger: silentLogger },
    pendingCount: () => {
      l1.asked++
      return Promise.resolve(l1.pending)
    },
  })
  return { guard, clock, l1, ask }
}

const refusal = (nonce: number, reason: string) => (error: unknown) => {
  assert(error instanceof NonceHeldError)
  assert.deepEqual(error.details, { nonce, reason })
  return true
}

test('transactions: a nonce in flight goes to no other call, whatever L1 says', async () => {
  const { ask, clock, l1 } = await start(createFaultyDisk(1))
  await ask(0, hex('a'))
  await ask(0, hex('a'))
  clock.advance(10 * patienceMs)
  await assert.rejects(ask(0, hex('b')), refusal(0, 'SignedOtherwise'))
  assert.equal(l1.asked, 0)
})

test('transactions: a nonce that was given up goes to the next call', async () => {
  const { ask, guard } = await start(createFaultyDisk(1))
  await ask(0, hex('a'))
  await guard.transactions.release(0)
  await ask(0, hex('b'))
  await assert.rejects(ask(0, hex('a')), refusal(0, 'SignedOtherwise'))
})

test('transactions: after a crash, a nonce that L1 never saw goes to another call', async () => {
  const disk = createFaultyDisk(1)
  const first = await start(disk)
  await first.ask(0, hex('a'))
  const later = disk.afterPowerCut()
  const { ask } = await start(later)
  await ask(0, hex('b'))
  const third = await start(later.afterPowerCut())
  third.l1.pending = 1
  await assert.rejects(third.ask(0, hex('a')), refusal(0, 'SignedOtherwise'))
  await third.ask(0, hex('b'))
})

test('transactions: after a crash, a nonce that L1 holds waits for its call, but not for ever', async () => {
  const disk = createFaultyDisk(1)
  const first = await start(disk)
  await first.ask(0, hex('a'))
  const { ask, clock, l1 } = await start(disk.afterPowerCut())
  l1.pending = 1
  await assert.rejects(ask(0, hex('b')), refusal(0, 'SignedOtherwise'))
  clock.advance(patienceMs - 1)
  await assert.rejects(ask(0, hex('b')), refusal(0, 'SignedOtherwise'))
  clock.advance(1)
  await ask(0, hex('b'))
})

test('transactions: after a crash, a nonce behind a gap is not free: L1 may hold its call', async () => {
  const disk = createFaultyDisk(1)
  const first = await start(disk)
  await first.ask(0, hex('a'))
  await first.ask(1, hex('b'))
  const { ask } = await start(disk.afterPowerCut())
  await assert.rejects(ask(1, hex('c')), refusal(1, 'SignedOtherwise'))
})

test('transactions: the same call after a crash keeps its nonce, without asking L1', async () => {
  const disk = createFaultyDisk(1)
  const first = await start(disk)
  await first.ask(0, hex('a'))
  const { ask, l1 } = await start(disk.afterPowerCut())
  await ask(0, hex('a'))
  await assert.rejects(ask(0, hex('b')), refusal(0, 'SignedOtherwise'))
  assert.equal(l1.asked, 0)
})

test('transactions: nonces below an imported watermark are freed like those left over', async () => {
  const { ask, guard, l1 } = await start(createFaultyDisk(1))
  await guard.raise({ vote: undefined, report: undefined, transaction: 3, index: 0 })
  l1.pending = 3
  await assert.rejects(ask(2, hex('a')), refusal(2, 'PositionPassed'))
  l1.pending = 2
  await ask(2, hex('a'))
  await ask(3, hex('b'))
})
