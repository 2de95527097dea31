import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { createFaultyDisk, type FaultyDisk } from '../../../test/support/faulty-disk.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { unframe } from './frame.ts'
import { type ConsensusLog, type LogRecord, openFileLog } from './log.ts'
import { CorruptFileError, WrongFileError } from './record-file.ts'
import { testNetwork } from './test-support/network.ts'

const path = 'consensus.log'
const owner = { networkId: testNetwork, validator: testNetwork }
const value = sha256Hex(utf8('value'))
const signature: Hex = `0x${'51'.repeat(64)}`

const timeoutAt = (height: number, round: number): LogRecord => ({
  kind: 'timeout',
  timeout: { step: 'propose', height, round },
})
const voteAt = (height: number): LogRecord => ({
  kind: 'vote',
  vote: { step: 'prevote', height, round: 0, value, validator: testNetwork, signature },
})
const validityAt = (height: number): LogRecord => ({
  ...{ kind: 'validity', height, round: 0, value, validity: 'untimely' },
})

const open = (disk: FaultyDisk, whose = owner) => openFileLog(path, whose, silentLogger, disk)

async function logged(
  disk: FaultyDisk,
  use: (log: ConsensusLog) => Promise<unknown>,
): Promise<void> {
  const log = await open(disk)
  await use(log)
  await log.close()
}

async function replayed(disk: FaultyDisk): Promise<readonly LogRecord[]> {
  const log = await open(disk)
  await log.close()
  return log.replay()
}

test('log: records after the last end of height come back, those before do not', async () => {
  const disk = createFaultyDisk(1)
  await logged(disk, async (log) => {
    log.append(timeoutAt(1, 0))
    await log.sync()
    await log.endHeight(1)
    log.append(timeoutAt(2, 3))
    log.append(validityAt(2))
    await log.sync()
  })
  assert.deepEqual(await replayed(disk.afterPowerCut()), [timeoutAt(2, 3), validityAt(2)])
})

test('log: a log that has grown long starts anew at the end of a height', async () => {
  const disk = createFaultyDisk(1)
  const block = new Uint8Array(2 * 1024 * 1024)
  const proposal = { height: 1, round: 0, value, validRound: -1, proposer: testNetwork, signature }
  await logged(disk, async (log) => {
    for (let i = 0; i < 5; i++) log.append({ kind: 'proposal', proposal, block })
    await log.sync()
    await log.endHeight(1)
    log.append(voteAt(2))
    await log.sync()
  })
  assert((disk.bytes(path)?.length ?? 0) < 1000)
  assert.deepEqual(await replayed(disk.afterPowerCut()), [voteAt(2)])
})

test('log: cut or flipped anywhere, what came before is replayed, or it is refused', async () => {
  const ended = [timeoutAt(1, 0), voteAt(1), validityAt(1)]
  const open = [validityAt(2), voteAt(2), timeoutAt(2, 0)]
  const written = createFaultyDisk(1)
  await logged(written, async (log) => {
    for (const record of [...ended, { kind: 'endHeight', height: 1 } as const, ...open])
      log.append(record)
    await log.sync()
  })
  const bytes = written.bytes(path) ?? assert.fail()
  const ends = endsOf(bytes)
  /** By how many records after the header are whole. */
  const expected = [0, 1, 2, 3]
    .map((count) => ended.slice(0, count))
    .concat([0, 1, 2, 3].map((count) => open.slice(0, count)))
  const outcome = async (content: Uint8Array) => {
    const disk = createFaultyDisk(1)
    disk.put(path, content)
    return replayed(disk)
  }
  for (let length = 0; length <= bytes.length; length++) {
    const whole = ends.filter((end) => end <= length).length
    const records = await outcome(bytes.slice(0, length))
    assert.deepEqual(records, expected[Math.max(0, whole - 1)], `cut at ${length}`)
  }
  for (let offset = 0; offset < bytes.length; offset++) {
    const whole = ends.filter((end) => end <= offset).length
    const flipped = outcome(bytes.map((b, i) => (i === offset ? b ^ (1 << (offset % 8)) : b)))
    if (whole === 0) await assert.rejects(flipped, isRefusal)
    else assert.deepEqual(await flipped, expected[whole - 1], `flip at ${offset}`)
  }
})

/** Where each record of a good file ends. */
function endsOf(bytes: Uint8Array): readonly number[] {
  const ends: number[] = []
  for (let at = 0; at < bytes.length; at = ends.at(-1) ?? 0) {
    const found = unframe(bytes.subarray(at))
    assert(found.kind === 'record')
    ends.push(at + found.bytes)
  }
  return ends
}

const isRefusal = (error: unknown): boolean =>
  error instanceof CorruptFileError &&
  /\/faulty\/consensus\.log is damaged at byte 0: move it away/.test(error.message)

test('log: a log of another network, validator or version is refused by name', async () => {
  const disk = createFaultyDisk(1)
  await logged(disk, async (log) => log.append(voteAt(1)))
  const before = disk.bytes(path)
  const other: Hex = `0x${'11'.repeat(32)}`
  const refusals = [
    [{ ...owner, networkId: other }, /consensus\.log belongs to network 0x.*own data folder/],
    [{ ...owner, validator: other }, /consensus\.log belongs to validator 0x.*own data folder/],
  ] as const
  for (const [whose, message] of refusals)
    await assert.rejects(open(disk, whose), (error) => {
      assert(error instanceof WrongFileError)
      assert.match(error.message, message)
      return true
    })
  assert.deepEqual(disk.bytes(path), before)
})
