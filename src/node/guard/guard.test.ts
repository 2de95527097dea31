import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptFileError, openRecordFile, type SignSlot, WrongFileError } from '#consensus'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { createFaultyDisk, type FaultyDisk } from '../../../test/support/faulty-disk.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { operatorKeysFile } from '../operator-keys.ts'
import {
  type Guard,
  GuardMissingError,
  type GuardOptions,
  guardFile,
  makeGuard,
  openGuard,
} from './guard.ts'
import { keptCalls, keptShares } from './state.ts'

const hex = (text: string): Hex => sha256Hex(utf8(text))
const networkId = hex('network')
const operator = hex('operator')
const signatureOf = (text: string): Hex => `${hex(text)}${hex(text).slice(2)}1b`

let starts = 0
const open = (disk: FaultyDisk, change: Partial<GuardOptions> = {}) =>
  openGuard({
    ...{ disk, networkId, operator, logger: silentLogger },
    rng: (length) => new Uint8Array(length).fill(++starts),
    ...change,
  })

async function withGuard<T>(
  disk: FaultyDisk,
  use: (guard: Guard) => Promise<T>,
  change: Partial<GuardOptions> = {},
): Promise<T> {
  const guard = await open(disk, change)
  try {
    return await use(guard)
  } finally {
    await guard.close()
  }
}

const slot = (height: number, round = 0, step: SignSlot['step'] = 'prevote'): SignSlot => ({
  ...{ height, round, step },
})
const yes = { ok: true } as const
const no = (reason: string) => ({ ok: false, reason })

test('votes: a slot takes one digest, and slots never go back, also after a power cut', async () => {
  const disk = createFaultyDisk(1)
  await withGuard(disk, async ({ votes }) => {
    assert.deepEqual(await votes.admit(slot(5, 1), hex('a')), yes)
    assert.deepEqual(await votes.admit(slot(5, 1), hex('a')), yes)
    assert.deepEqual(await votes.admit(slot(5, 1), hex('b')), no('SignedOtherwise'))
  })
  await withGuard(disk.afterPowerCut(), async ({ votes }) => {
    assert.deepEqual(await votes.admit(slot(5, 1), hex('b')), no('SignedOtherwise'))
    assert.deepEqual(await votes.admit(slot(5, 1), hex('a')), yes)
    assert.deepEqual(await votes.admit(slot(5, 1, 'proposal'), hex('a')), no('PositionPassed'))
    assert.deepEqual(await votes.admit(slot(5, 0, 'precommit'), hex('a')), no('PositionPassed'))
    assert.deepEqual(await votes.admit(slot(4, 9), hex('a')), no('PositionPassed'))
    assert.deepEqual(await votes.admit(slot(5, 1, 'precommit'), hex('b')), yes)
    assert.deepEqual(await votes.admit(slot(6), hex('c')), yes)
  })
})

test('votes: what a log knows and the guard does not is taken in, and nothing else', async () => {
  const disk = createFaultyDisk(1)
  await withGuard(disk, async ({ votes, counts }) => {
    await votes.restore(slot(5), hex('a'))
    await votes.restore(slot(4), hex('old'))
    await votes.restore(slot(5), hex('b'))
    assert.deepEqual(counts().vote, { permitted: 0, prevented: 0 })
  })
  await withGuard(disk.afterPowerCut(), async ({ votes }) => {
    assert.deepEqual(await votes.admit(slot(5), hex('b')), no('SignedOtherwise'))
    assert.deepEqual(await votes.admit(slot(5), hex('a')), yes)
  })
})

test('reports: a sequence takes one content, gives its signature again, and only rises', async () => {
  const disk = createFaultyDisk(1)
  const never = () => assert.fail('nothing may be signed')
  await withGuard(disk, async ({ reports }) => {
    assert.equal(reports.next(0), 0)
    const signed = { ok: true, signature: signatureOf('one') }
    assert.deepEqual(await reports.sign(7, hex('a'), () => signatureOf('one')), signed)
    assert.deepEqual(await reports.sign(7, hex('a'), never), signed)
    assert.deepEqual(await reports.sign(7, hex('b'), never), no('SignedOtherwise'))
    assert.equal(reports.next(3), 8)
    assert.equal(reports.next(20), 20)
  })
  await withGuard(disk.afterPowerCut(), async ({ reports }) => {
    const again = await reports.sign(7, hex('a'), never)
    assert.deepEqual(again, { ok: true, signature: signatureOf('one') })
    assert.deepEqual(await reports.sign(6, hex('a'), never), no('PositionPassed'))
    assert.equal(reports.next(0), 8)
  })
})

test('reports: the sequence is taken before the signature is durable', async () => {
  await withGuard(createFaultyDisk(1), async ({ reports }) => {
    const first = reports.sign(reports.next(1), hex('a'), () => signatureOf('a'))
    const second = reports.sign(reports.next(1), hex('b'), () => signatureOf('b'))
    assert.deepEqual(await Promise.all([first, second]), [
      { ok: true, signature: signatureOf('a') },
      { ok: true, signature: signatureOf('b') },
    ])
    assert.equal(reports.next(1), 3)
  })
})

test('transactions: a nonce belongs to one call until that call is given up', async () => {
  const disk = createFaultyDisk(1)
  await withGuard(disk, async ({ transactions }) => {
    assert.deepEqual(await transactions.admit(3, hex('a')), yes)
    assert.deepEqual(await transactions.admit(3, hex('a')), yes, 'a raise is the same call')
    assert.deepEqual(await transactions.admit(3, hex('b')), no('SignedOtherwise'))
    assert.deepEqual(await transactions.admit(4, hex('b')), yes)
    await transactions.release(3)
    assert.deepEqual(await transactions.admit(3, hex('c')), yes)
    assert.deepEqual(await transactions.admit(3, hex('a')), no('SignedOtherwise'))
  })
  await withGuard(disk.afterPowerCut(), async ({ transactions }) => {
    assert.deepEqual(await transactions.admit(3, hex('a')), no('SignedOtherwise'))
    assert.equal(transactions.isLeftOver(3, hex('a')), true)
    assert.equal(transactions.isLeftOver(3, hex('c')), false)
    assert.deepEqual(await transactions.admit(3, hex('c')), yes)
    assert.equal(transactions.isLeftOver(3, hex('a')), false, 'this process watches it now')
    assert.equal(transactions.isLeftOver(5, hex('a')), false)
  })
})

test('transactions: the last nonces are told apart, all before are taken', async () => {
  await withGuard(createFaultyDisk(1), async ({ transactions }) => {
    for (let nonce = 0; nonce < keptCalls + 10; nonce++)
      await transactions.admit(nonce, hex(`call ${nonce}`))
    assert.deepEqual(await transactions.admit(9, hex('call 9')), no('PositionPassed'))
    assert.deepEqual(await transactions.admit(10, hex('call 10')), yes)
  })
})

test('nonces: an index is for one session, once it is reserved, and gives its share again', async () => {
  const share = hex('share')
  await withGuard(createFaultyDisk(1), async ({ instance, nonces, counts }) => {
    const at = (index: number) => ({ instance, index })
    const never = () => assert.fail('nothing may be signed')
    assert.deepEqual(await nonces.sign(at(0), hex('a'), never), no('NotReserved'))
    await nonces.reserve(8)
    assert.equal(nonces.reserved(), 8)
    assert.deepEqual(await nonces.sign(at(5), hex('a'), () => share), {
      ok: true,
      signature: share,
    })
    assert.deepEqual(await nonces.sign(at(5), hex('a'), never), { ok: true, signature: share })
    assert.deepEqual(await nonces.sign(at(5), hex('b'), never), no('SignedOtherwise'))
    assert.deepEqual(await nonces.sign(at(4), hex('b'), () => share), {
      ok: true,
      signature: share,
    })
    assert.deepEqual(await nonces.sign(at(8), hex('c'), never), no('NotReserved'))
    const foreign = { instance: hex('other'), index: 5 }
    assert.deepEqual(await nonces.sign(foreign, hex('a'), never), no('ForeignInstance'))
    assert.deepEqual(counts().nonce, { permitted: 3, prevented: 4 })
  })
})

test('nonces: a share that cannot be made leaves its index free', async () => {
  await withGuard(createFaultyDisk(1), async ({ instance, nonces }) => {
    await nonces.reserve(1)
    const failing = nonces.sign({ instance, index: 0 }, hex('a'), () => {
      throw new Error('no share')
    })
    await assert.rejects(failing, /no share/)
    const signed = await nonces.sign({ instance, index: 0 }, hex('b'), () => hex('share'))
    assert(signed.ok)
  })
})

test('nonces: every start has an instance of its own, with nothing reserved', async () => {
  const disk = createFaultyDisk(1)
  const first = await withGuard(disk, async ({ instance, nonces }) => {
    await nonces.reserve(100)
    await nonces.sign({ instance, index: 5 }, hex('a'), () => hex('share'))
    return instance
  })
  await withGuard(disk, async ({ instance, nonces }) => {
    assert.notEqual(instance, first)
    assert.equal(nonces.reserved(), 0)
    const never = () => assert.fail('nothing may be signed')
    const old = { instance: first, index: 5 }
    assert.deepEqual(await nonces.sign(old, hex('a'), never), no('ForeignInstance'))
    assert.deepEqual(await nonces.sign({ instance, index: 5 }, hex('a'), never), no('NotReserved'))
  })
})

test('nonces: the last shares are told apart, indices before are taken', async () => {
  await withGuard(createFaultyDisk(1), async ({ instance, nonces }) => {
    await nonces.reserve(2 * keptShares)
    const sign = (index: number) =>
      nonces.sign({ instance, index }, hex(`session ${index}`), () => hex('share'))
    await Promise.all([sign(0), sign(3), sign(keptShares + 1)])
    assert.deepEqual(await sign(0), no('PositionPassed'))
    assert.deepEqual(await sign(1), no('PositionPassed'))
    assert((await sign(2)).ok && (await sign(3)).ok)
  })
})

test('guard: judgements are counted by purpose', async () => {
  const told: string[] = []
  const onJudged: GuardOptions['onJudged'] = (purpose, isPermitted) =>
    void told.push(`${purpose} ${isPermitted}`)
  await withGuard(
    createFaultyDisk(1),
    async ({ votes, transactions, counts }) => {
      await votes.admit(slot(1), hex('a'))
      await votes.admit(slot(1), hex('b'))
      await transactions.admit(0, hex('a'))
      assert.deepEqual(counts(), {
        vote: { permitted: 1, prevented: 1 },
        report: { permitted: 0, prevented: 0 },
        transaction: { permitted: 1, prevented: 0 },
        nonce: { permitted: 0, prevented: 0 },
      })
    },
    { onJudged },
  )
  assert.deepEqual(told, ['vote true', 'vote false', 'transaction true'])
})

test('guard: nothing is permitted once the disk is full, until there is space again', async () => {
  const disk = createFaultyDisk(1)
  await withGuard(disk, async ({ votes, reports }) => {
    await votes.admit(slot(1), hex('a'))
    disk.fillAfter(3)
    await assert.rejects(votes.admit(slot(2), hex('a')), { code: 'DiskFull' })
    disk.fillAfter(10_000)
    await assert.rejects(votes.admit(slot(2), hex('a')), { code: 'DiskFull' })
    await assert.rejects(
      reports.sign(1, hex('a'), () => signatureOf('a')),
      { code: 'DiskFull' },
    )
  })
  await withGuard(disk, async ({ votes }) => {
    assert.deepEqual(await votes.admit(slot(1), hex('b')), no('SignedOtherwise'))
    assert.deepEqual(await votes.admit(slot(2), hex('b')), yes)
  })
})

test('start: an empty folder is initialised, one that was in use is not, unless told', async () => {
  const disk = createFaultyDisk(1)
  disk.put('operator.lock', new Uint8Array(0))
  disk.put('guard.log.new', new Uint8Array(3))
  await withGuard(disk, ({ votes }) => votes.admit(slot(1), hex('a')))
  for (const used of ['blocks.log', operatorKeysFile, 'guard.log.bad']) {
    const lost = createFaultyDisk(1)
    lost.put(used, new Uint8Array(0))
    await assert.rejects(open(lost), (error) => {
      assert(error instanceof GuardMissingError)
      assert.match(
        error.message,
        /^\/faulty\/guard\.log is missing.*--init.*nodeop restore.*guard import/,
      )
      return true
    })
    assert.equal(lost.bytes(guardFile), undefined)
    await withGuard(lost, async ({ votes }) => void (await votes.admit(slot(1), hex('b'))), {
      init: true,
    })
    await withGuard(lost, async ({ votes }) => {
      assert.deepEqual(await votes.admit(slot(1), hex('a')), no('SignedOtherwise'))
    })
  }
})

test('start: keys that were made with their guard sign, those that lost it do not', async () => {
  const disk = createFaultyDisk(1)
  await makeGuard({ disk, networkId, operator, logger: silentLogger })
  disk.put(operatorKeysFile, utf8('keys'))
  await withGuard(disk, async ({ votes }) => {
    assert.deepEqual(await votes.admit(slot(1), hex('a')), yes)
  })
  await disk.remove(guardFile)
  for (const start of [
    () => open(disk),
    () => makeGuard({ disk, networkId, operator, logger: silentLogger }),
  ])
    await assert.rejects(start(), { code: 'GuardMissing' })
})

test('start: the guard of another network, operator or version is refused', async () => {
  const disk = createFaultyDisk(1)
  await withGuard(disk, ({ votes }) => votes.admit(slot(1), hex('a')))
  const before = disk.bytes(guardFile)
  await assert.rejects(open(disk, { networkId: hex('other') }), WrongFileError)
  await assert.rejects(open(disk, { operator: hex('other') }), WrongFileError)
  assert.deepEqual(disk.bytes(guardFile), before)
})

test('start: cut within its last record it goes on, with any other damage it is refused', async () => {
  const written = createFaultyDisk(1)
  await withGuard(written, async ({ votes, reports, transactions, nonces, instance }) => {
    await reports.sign(1, hex('a'), () => signatureOf('a'))
    await transactions.admit(1, hex('a'))
    await nonces.reserve(3)
    await nonces.sign({ instance, index: 2 }, hex('a'), () => hex('share'))
    await votes.admit(slot(1), hex('a'))
    await votes.admit(slot(2), hex('a'))
  })
  const bytes = written.bytes(guardFile) ?? assert.fail()
  const opens = async (content: Uint8Array) => {
    const disk = createFaultyDisk(1)
    disk.put(guardFile, content)
    return withGuard(disk, (guard) => Promise.resolve(guard.floor().vote?.height))
  }
  for (let offset = 0; offset < bytes.length; offset++)
    await assert.rejects(
      opens(bytes.map((byte, i) => (i === offset ? byte ^ (1 << (offset % 8)) : byte))),
      (error) => {
        assert(error instanceof CorruptFileError, `flip at ${offset}`)
        assert.match(error.message, /\/faulty\/guard\.log is damaged.*import a watermark/)
        return true
      },
    )
  for (let cut = 1; cut < 60; cut++) assert.equal(await opens(bytes.slice(0, -cut)), 1)
  assert.equal(await opens(bytes), 2)
  await assert.rejects(opens(bytes.slice(0, 40)), CorruptFileError)
  await assert.rejects(opens(new Uint8Array(0)), CorruptFileError)
})

test('start: a record that cannot be understood is refused', async () => {
  const disk = createFaultyDisk(1)
  await withGuard(disk, () => Promise.resolve())
  const { header, size } = await headerOf(disk)
  const file = await openRecordFile({
    ...{ disk, path: guardFile, header, whose: () => '', onDamage: 'refuse', remedy: '' },
    ...{ logger: silentLogger, onRecord: () => {} },
  })
  file.append(Uint8Array.of(99, 1, 2))
  await file.sync()
  await file.close()
  await assert.rejects(open(disk), {
    code: 'CorruptFile',
    details: { path: `/faulty/${guardFile}`, offset: size },
  })
})

/** The first record of a guard's file, and the file's length. */
async function headerOf(disk: FaultyDisk) {
  const bytes = disk.bytes(guardFile) ?? assert.fail()
  const length = new DataView(bytes.buffer).getUint32(0)
  return { header: bytes.slice(12, 12 + length), size: bytes.length }
}
