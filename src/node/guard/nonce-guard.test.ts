import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, type Rng, sha256Hex, toHex, utf8 } from '#primitives'
import type { NonceCommitment, Session } from '#records'
import { aggregate, type KeyPackage, nonceCommitment, signShare, trustedDealer } from '#threshold'
import { createFaultyDisk, type FaultyDisk } from '../../../test/support/faulty-disk.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { openGuard } from './guard.ts'
import { createThresholdSigner } from './nonce-guard.ts'

const hex = (text: string): Hex => sha256Hex(utf8(text))
let draws = 0
const rng: Rng = (length) =>
  Uint8Array.from({ length }, (_, i) => Number.parseInt(hex(`${draws++} ${i}`).slice(2, 4), 16))
const [ada, bob] = trustedDealer(2, 2, rng) as [KeyPackage, KeyPackage]
const seed = hex('seed of ada')
const bobs = { seed: hex('seed of bob'), instance: hex('instance of bob') }

/** Ada's signer on a disk. `ready` resolves at the next answer, `failed` with the first failure. */
async function start(disk: FaultyDisk, init = false) {
  const guard = await openGuard({
    ...{ disk, networkId: hex('network'), operator: hex('ada'), init, rng, logger: silentLogger },
  })
  let told = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<unknown>()
  const signer = createThresholdSigner({
    ...{ guard, key: ada, seed, logger: silentLogger, onFailure: failed.resolve },
    onReady: () => {
      told.resolve()
      told = Promise.withResolvers()
    },
  })
  const ready = () => told.promise
  return { guard, signer, ready, failed: failed.promise }
}

type Started = Awaited<ReturnType<typeof start>>

/** Publishes a nonce of Ada's. */
async function publish({ signer, ready }: Started, index: number): Promise<NonceCommitment> {
  for (;;) {
    const [own] = signer.nonces(index, 1)
    if (own) return own
    await ready()
  }
}

/** A session of both over one of Ada's nonces. */
const sessionOf = (nonce: NonceCommitment, message: string, bobIndex = 0): Session => ({
  ...{ checkpoint: 1, attempt: 1, message: hex(message), openedHeight: 1, openedMs: 1 },
  signers: [
    { operator: ada.operator, nonce, share: undefined },
    {
      operator: bob.operator,
      nonce: nonceCommitment(bob, bobs.seed, bobs.instance, bobIndex),
      share: undefined,
    },
  ],
})

/** Asks until there is a share, as duties do. */
async function shareOf({ signer, ready }: Started, session: Session): Promise<Hex> {
  for (;;) {
    const share = signer.shareOf(session)
    if (share) return share
    await ready()
  }
}

/** Asks, lets all that follows happen, asks again. */
async function refusalOf({ signer, guard }: Started, session: Session): Promise<void> {
  assert.equal(signer.shareOf(session), undefined)
  // A record of its own, so that whatever the question led to is behind us when it is durable.
  await guard.nonces.reserve(guard.nonces.reserved() + 1)
  assert.equal(signer.shareOf(session), undefined)
}

test('threshold: commitments leave only once their indices are durable', async () => {
  const disk = createFaultyDisk(1)
  const started = await start(disk)
  assert.deepEqual(started.signer.nonces(0, 4), [])
  await started.ready()
  const published = started.signer.nonces(0, 4)
  assert.deepEqual(
    published,
    [0, 1, 2, 3].map((index) => nonceCommitment(ada, seed, started.guard.instance, index)),
  )
  assert.equal(started.guard.nonces.reserved() >= 4, true)
  assert.equal(started.signer.nonces(0, 4)[0], published[0], 'it is made once')
  for (let index = 0; index < 2000; index += 100) await publish(started, index)
})

test('threshold: a share leaves once its nonce is bound, completes the signature, and stays', async () => {
  const started = await start(createFaultyDisk(1))
  const session = sessionOf(await publish(started, 0), 'm')
  const share = await shareOf(started, session)
  assert.equal(await shareOf(started, session), share)
  const shares = [share, signShare({ key: bob, session, ...bobs })]
  const signers = session.signers.map((signer, i) => ({ ...signer, share: shares[i] }))
  assert(aggregate({ ...session, signers }, ada.groupKey))
  assert.deepEqual(started.guard.counts().nonce, { permitted: 1, prevented: 0 })
})

test('threshold: one nonce never gives shares of two sessions', async () => {
  const started = await start(createFaultyDisk(1))
  const nonce = await publish(started, 0)
  await shareOf(started, sessionOf(nonce, 'm'))
  await refusalOf(started, sessionOf(nonce, 'other message'))
  await refusalOf(started, sessionOf(nonce, 'm', 1))
  await refusalOf(started, { ...sessionOf(nonce, 'm'), attempt: 2 })
  assert.equal(started.guard.counts().nonce.prevented >= 3, true)
})

test('threshold: a session without us, or over a nonce that is not ours, uses nothing up', async () => {
  const started = await start(createFaultyDisk(1))
  const own = await publish(started, 0)
  const forged = { ...own, hiding: own.binding, binding: own.hiding }
  await refusalOf(started, sessionOf(forged, 'm'))
  const [, other] = sessionOf(own, 'm').signers
  assert(other)
  await refusalOf(started, { ...sessionOf(own, 'm'), signers: [other] })
  await shareOf(started, sessionOf(own, 'm'))
})

const losses: Readonly<Record<string, (disk: FaultyDisk, before: FaultyDisk) => FaultyDisk>> = {
  kept: (disk) => disk.afterPowerCut(),
  lost: () => createFaultyDisk(1),
  'restored from before it signed': (_, before) => before,
  cloned: (disk) => disk.copy(),
}

for (const [loss, next] of Object.entries(losses))
  test(`threshold: with its guard ${loss}, no nonce of before is ever signed with`, async () => {
    const disk = createFaultyDisk(1)
    const before = disk.copy()
    const first = await start(disk)
    const signed = await publish(first, 0)
    const outstanding = await publish(first, 1)
    await shareOf(first, sessionOf(signed, 'm'))

    const second = await start(next(disk, before), true)
    assert.notEqual(second.guard.instance, first.guard.instance)
    await publish(second, 1)
    for (const nonce of [signed, outstanding])
      for (const message of ['m', 'other message'])
        await refusalOf(second, sessionOf(nonce, message))
    const own = await publish(second, 2)
    await shareOf(second, sessionOf(own, 'm'))
    // A clone's first copy goes on with its own nonces, and with no others.
    await refusalOf(first, sessionOf(own, 'other message'))
  })

test('threshold: a guard that cannot be written says so, and no share leaves', async () => {
  const disk = createFaultyDisk(1)
  const started = await start(disk)
  const session = sessionOf(await publish(started, 0), 'm')
  disk.fillAfter(0)
  assert.equal(started.signer.shareOf(session), undefined)
  assert.match(String(await started.failed), /no space/)
  assert.equal(started.signer.shareOf(session), undefined)
})

test('threshold: an instance is 32 random bytes', async () => {
  const started = await start(createFaultyDisk(1))
  assert.match(started.guard.instance, /^0x[0-9a-f]{64}$/)
  assert.notEqual(started.guard.instance, toHex(new Uint8Array(32)))
})
