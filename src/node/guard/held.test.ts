import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Hex, utf8 } from '#primitives'
import { createFaultyDisk, type FaultyDisk } from '../../../test/support/faulty-disk.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { operatorKeysFile } from '../operator-keys.ts'
import { guardFile, openGuard, restoredFile, restoredText } from './guard.ts'

const networkId = sha256Hex(utf8('network'))
const digest = sha256Hex(utf8('digest'))
const make = () => `${digest}${digest.slice(2)}1b` as const
const prevote = (height: number) => ({ height, round: 0, step: 'prevote' }) as const

let starts = 0
const open = (disk: FaultyDisk) =>
  openGuard({
    ...{ disk, networkId, operator: networkId, logger: silentLogger },
    rng: (length) => new Uint8Array(length).fill(++starts),
  })

/** A guard that has voted at height 3 and reserved nonces, then was restored. */
async function restored() {
  const disk = createFaultyDisk(1)
  const before = await open(disk)
  await before.votes.admit(prevote(3), digest)
  await before.nonces.reserve(8)
  await before.close()
  disk.put(restoredFile, utf8(restoredText))
  return { disk, instance: before.instance }
}

test('held: a restored guard signs for no purpose', async () => {
  const { disk, instance } = await restored()
  const guard = await open(disk)
  const no = { ok: false, reason: 'Restored' }
  assert(guard.isHeld())
  assert.deepEqual(await guard.votes.admit(prevote(900), digest), no)
  assert.deepEqual(await guard.reports.sign(900, digest, make), no)
  assert.deepEqual(await guard.transactions.admit(900, digest), no)
  await guard.nonces.reserve(1)
  assert.deepEqual(await guard.nonces.sign({ instance, index: 0 }, digest, make), no)
  assert.equal(guard.counts().vote.prevented, 1)
})

test('held: after the end it signs above the height alone, and old nonces stay void', async () => {
  const { disk, instance } = await restored()
  const guard = await open(disk)
  await guard.endHold(12)
  assert(!guard.isHeld())
  const passed = { ok: false, reason: 'PositionPassed' }
  assert.deepEqual(await guard.votes.admit(prevote(3), digest), passed)
  assert.deepEqual(
    await guard.votes.admit({ height: 12, round: 99, step: 'precommit' }, digest),
    passed,
  )
  assert.deepEqual(await guard.votes.admit(prevote(13), digest), { ok: true })
  assert.equal((await guard.reports.sign(9, digest, make)).ok, true)
  assert.deepEqual(await guard.nonces.sign({ instance, index: 0 }, digest, make), {
    ...{ ok: false, reason: 'ForeignInstance' },
  })
})

test('held: wherever a crash comes while it ends, it is held, or knows up to where', async () => {
  for (let step = 0; ; step++) {
    const { disk } = await restored()
    const first = await open(disk)
    disk.crashAt(disk.steps() + step, step % 2 === 0 ? 'before' : 'after')
    const hasEnded = await first.endHold(12).then(
      () => true,
      () => false,
    )
    if (hasEnded && !disk.hasEnded()) return assert(step > 2, 'some steps were tried')
    const next = await open(disk.afterPowerCut())
    const verdict = await next.votes.admit(prevote(12), digest)
    assert(!verdict.ok, `after a crash at step ${step}`)
    assert.equal(verdict.reason, next.isHeld() ? 'Restored' : 'PositionPassed')
  }
})

test('held: without its guard a folder that was in use is refused, marked or not', async () => {
  const { disk } = await restored()
  await disk.remove(guardFile)
  disk.put('consensus.log', utf8('of an earlier life'))
  await assert.rejects(open(disk), { code: 'GuardMissing' })
})

test('held: keys that were saved before they ever signed are held too, with a new guard', async () => {
  const disk = createFaultyDisk(1)
  for (const name of [operatorKeysFile, restoredFile]) disk.put(name, utf8('from a backup'))
  const guard = await open(disk)
  assert(guard.isHeld())
  assert.deepEqual(await guard.votes.admit(prevote(1), digest), { ok: false, reason: 'Restored' })
})
