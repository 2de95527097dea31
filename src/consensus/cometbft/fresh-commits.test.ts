import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '#primitives'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { blockOf, testKeys } from '../../../test/support/served-application.ts'
import { validatorAddress } from '../light/index.ts'
import { watchCommits } from './fresh-commits.ts'

const startMs = 1_700_000_000_000
const driftMs = 10_000
const [own = assert.fail(), ...signers] = testKeys.map(validatorAddress)

/** A watch that begins now, told of blocks of a time from then on; what it tells its hold. */
function watching(changes: { isCatchingUp?: boolean; isHeld?: boolean } = {}) {
  const clock = new ManualClock(startMs)
  const heard: [Hex, number][] = []
  const signed: number[] = []
  const watch = watchCommits({
    hold: {
      isHeld: () => changes.isHeld ?? true,
      heard: (from, height) => void heard.push([from, height]),
    },
    consensusKeys: () => testKeys,
    isCatchingUp: async () => changes.isCatchingUp ?? false,
    own: { address: own, onSigned: (height) => void signed.push(height) },
    clock,
  })
  const told = (height: number, afterMs: number, previousSigners = signers) =>
    watch({
      block: blockOf(height, [], { timeMs: startMs + afterMs }),
      executed: { appHash: '0x', results: [], validatorUpdates: [] },
      round: undefined,
      previousSigners,
    })
  return { clock, heard, signed, told }
}

test('fresh commits: whoever signed a block that is newer than the start had the one before', async () => {
  const { clock, heard, told } = watching()
  clock.advance(driftMs + 2_000)
  await told(41, driftMs + 1)
  assert.deepEqual(heard, [], 'who signed it comes with the next block')
  await told(42, driftMs + 1_000)
  assert.deepEqual(
    heard,
    testKeys.slice(1).map((key) => [key, 40]),
  )
})

test('fresh commits: a block that may be older than the start says nothing', async () => {
  const { clock, heard, told } = watching()
  clock.advance(driftMs + 2_000)
  await told(41, driftMs)
  await told(42, driftMs + 1_000)
  assert.deepEqual(heard, [])
})

test('fresh commits: nothing is believed of blocks from the future, nor while old ones come', async () => {
  const early = watching()
  early.clock.advance(1_000)
  await early.told(41, driftMs + 1)
  await early.told(42, driftMs + 1_001)
  assert.deepEqual(early.heard, [], 'this clock lags behind')
  const syncing = watching({ isCatchingUp: true })
  syncing.clock.advance(driftMs + 2_000)
  await syncing.told(41, driftMs + 1)
  await syncing.told(42, driftMs + 1_000)
  assert.deepEqual(syncing.heard, [])
})

test('fresh commits: a block that is not the next one, and a stranger, say nothing', async () => {
  const { clock, heard, told } = watching()
  clock.advance(driftMs + 9_000)
  await told(41, driftMs + 1)
  await told(43, driftMs + 1_000)
  await told(44, driftMs + 2_000, ['0x0000000000000000000000000000000000000000'])
  assert.deepEqual(heard, [])
})

test('fresh commits: a vote of the own key that is newer than the start is told, and no block counts', async () => {
  const { clock, heard, signed, told } = watching()
  clock.advance(driftMs + 9_000)
  await told(41, driftMs)
  await told(42, driftMs + 1, [own, ...signers])
  assert.deepEqual(signed, [], 'it may be older')
  await told(43, driftMs + 2, [own, ...signers])
  assert.deepEqual([signed, heard], [[42], []])
})
