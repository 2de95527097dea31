import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { createFaultyDisk, type FaultyDisk } from '../../../test/support/faulty-disk.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { type GuardOptions, guardFile, openGuard } from './guard.ts'
import type { Floor } from './records.ts'
import { BadWatermarkError, decodeWatermark, encodeWatermark } from './watermark.ts'

const hex = (text: string): Hex => sha256Hex(utf8(text))
const mine = { networkId: hex('network'), operator: hex('operator') }
const signature: Hex = `0x${'5c'.repeat(65)}`
const full: Floor = {
  ...{ vote: { height: 7, round: 1, step: 'precommit' }, report: 40, transaction: 9, index: 0 },
}

/** Without what tells apart objects of one content. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const open = (disk: FaultyDisk, change: Partial<GuardOptions> = {}) =>
  openGuard({
    disk,
    ...mine,
    logger: silentLogger,
    rng: (length) => new Uint8Array(length).fill(1),
    ...change,
  })

test('watermark: what is read is what was written', () => {
  const positions = fc.nat(1_000_000)
  const floors: fc.Arbitrary<Floor> = fc.record({
    vote: fc.option(
      fc.record({
        ...{ height: positions, round: positions },
        step: fc.constantFrom('proposal', 'prevote', 'precommit'),
      }),
      { nil: undefined },
    ),
    report: fc.option(positions, { nil: undefined }),
    transaction: positions,
    index: fc.constant(0),
  })
  fc.assert(
    fc.property(floors, (floor) => {
      const text = encodeWatermark({ ...mine, floor })
      assert.deepEqual(plain(decodeWatermark(text, mine)), plain({ ...mine, floor }))
    }),
  )
})

test('watermark: whoever imports it signs nothing that its source can have signed', async () => {
  const source = await open(createFaultyDisk(1))
  await source.votes.admit({ height: 7, round: 1, step: 'prevote' }, hex('a'))
  await source.reports.sign(40, hex('a'), () => signature)
  await source.transactions.admit(8, hex('a'))
  const text = encodeWatermark({ ...mine, floor: source.floor() })
  const disk = createFaultyDisk(2)
  const target = await open(disk)
  await target.raise(decodeWatermark(text, mine).floor)
  await target.close()
  const { votes, reports, transactions } = await open(disk.afterPowerCut())
  const passed = { ok: false, reason: 'PositionPassed' }
  assert.deepEqual(await votes.admit({ height: 7, round: 1, step: 'prevote' }, hex('a')), passed)
  assert.deepEqual(await votes.admit({ height: 6, round: 5, step: 'precommit' }, hex('a')), passed)
  assert((await votes.admit({ height: 7, round: 1, step: 'precommit' }, hex('a'))).ok)
  const never = () => assert.fail('nothing may be signed')
  assert.deepEqual(await reports.sign(40, hex('a'), never), passed)
  assert.equal(reports.next(0), 41)
  assert.deepEqual(await transactions.admit(8, hex('a')), passed)
  assert.equal(transactions.isLeftOver(8, hex('a')), true)
  assert((await transactions.admit(9, hex('a'))).ok)
})

test('watermark: a guard that begins with it has all of it or is not there, wherever it crashes', async () => {
  const isIn = async (disk: FaultyDisk) => {
    if (!(await disk.list('')).includes(guardFile)) return false
    const guard = await open(disk)
    await guard.close()
    assert.deepEqual(guard.floor(), full)
    return true
  }
  const inUse = async () => {
    const disk = createFaultyDisk(3)
    await (await disk.open('consensus.log')).close()
    await disk.syncFolder('')
    return disk
  }
  const whole = await inUse()
  const before = whole.steps()
  await (await open(whole, { floor: full })).close()
  const found = new Set<boolean>()
  for (let step = before; step < whole.steps(); step++)
    for (const when of ['before', 'after'] as const) {
      const disk = await inUse()
      disk.crashAt(step, when)
      await open(disk, { floor: full }).catch(() => {})
      found.add(await isIn(disk.afterPowerCut()))
      found.add(await isIn(disk.afterKill()))
    }
  assert.deepEqual([...found].sort(), [false, true])
})

test('watermark: importing a lower one changes nothing', async () => {
  const guard = await open(createFaultyDisk(1))
  await guard.raise(full)
  await guard.raise({
    ...{ vote: { height: 7, round: 0, step: 'precommit' }, report: 39, transaction: 2, index: 0 },
  })
  assert.deepEqual(guard.floor(), full)
  await guard.raise({ vote: undefined, report: undefined, transaction: 0, index: 0 })
  assert.deepEqual(guard.floor(), full)
})

test('watermark: one of another network or operator, or that is malformed, is refused', () => {
  const text = encodeWatermark({ ...mine, floor: full })
  const refusals: readonly (readonly [string, RegExp])[] = [
    ['{', /no JSON/],
    ['{}', /format/],
    [text.replace('"version": 1', '"version": 2'), /version/],
    [text.replace(mine.networkId, hex('other')), /of network 0x/],
    [text.replace(mine.operator, hex('other')), /of operator 0x/],
    [text.replace('"height": 7', '"height": -7'), /height/],
    [text.replace('"height": 7', '"height": 7.5'), /height/],
    [text.replace('"nonce": 8', '"nonce": 1e300'), /nonce/],
    [text.replace('"report":', '"more": 1, "report":'), /more/],
    [text.replace('prevote', 'x').replace('precommit', 'x'), /step/],
  ]
  for (const [bad, problem] of refusals)
    assert.throws(
      () => decodeWatermark(bad, mine),
      (error) => {
        assert(error instanceof BadWatermarkError)
        assert.match(error.message, problem)
        return true
      },
    )
})
