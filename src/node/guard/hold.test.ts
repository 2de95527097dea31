import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Hex } from '#primitives'
import { type HoldView, holdTarget, mayEndHold } from './hold.ts'

const keys: readonly Hex[] = ['0x01', '0x02', '0x03', '0x04', '0x05', '0x06', '0x07']
const [self = '0x'] = keys

/** Operators of equal power, of which the first one was restored. */
const viewOf = (count: number, heights: readonly (number | undefined)[], rest = {}): HoldView => ({
  powers: new Map(keys.slice(0, count).map((key) => [key, 10n])),
  self,
  height: 5,
  heard: new Map(
    heights.flatMap((height, i) =>
      height === undefined ? [] : [[keys[i + 1] ?? self, height] as const],
    ),
  ),
  held: new Set(),
  target: undefined,
  quietMs: 0,
  ...rest,
})

test('hold: no height is known before over 2/3 of the power has spoken', () => {
  assert.equal(holdTarget(viewOf(4, [])), undefined)
  assert.equal(holdTarget(viewOf(4, [8, 8])), undefined)
  assert.equal(holdTarget(viewOf(4, [8, 8, 8])), 10)
  assert.equal(mayEndHold(viewOf(4, [8, 8, 8], { height: 9 })), false)
  assert.equal(mayEndHold(viewOf(4, [8, 8, 8], { height: 10 })), true)
})

test('hold: what was known once does not move away', () => {
  const view = viewOf(4, [50, 50, 50], { height: 10, target: 10 })
  assert.equal(holdTarget(view), 10)
  assert.equal(mayEndHold(view), true)
})

test('hold: neither one liar nor those who lag behind decide the height', () => {
  assert.equal(holdTarget(viewOf(4, [1_000_000, 8, 8])), 10)
  assert.equal(holdTarget(viewOf(7, [1_000_000, 9, 9, 2, 2])), 11)
  assert.equal(holdTarget(viewOf(4, [0, 8, 8])), 10)
})

test('hold: its own word counts for nothing, a stranger’s neither', () => {
  const heard = new Map<Hex, number>([
    ['0x02', 8],
    ['0x03', 8],
    [self, 8],
    ['0x99', 8],
  ])
  assert.equal(holdTarget(viewOf(4, [], { heard })), undefined)
})

test('hold: peers that were restored too do not witness how far the network was', () => {
  const others = (...held: readonly (Hex | undefined)[]) => ({ held: new Set(held) })
  assert.equal(holdTarget(viewOf(4, [500, 100, 100], others(keys[2], keys[3]))), undefined)
  assert.equal(holdTarget(viewOf(7, [500, 500, 500, 500, 500, 5], others(keys[6]))), 502)
  const quiet = { ...others(keys[2], keys[3]), height: 500, quietMs: 10_000 }
  assert.equal(mayEndHold(viewOf(4, [500, 500, 500], quiet)), true)
  assert.equal(mayEndHold(viewOf(4, [500, 499, 500], quiet)), false)
})

test('hold: where all stand still at one height, it ends; where one is silent or ahead, it does not', () => {
  const quiet = { quietMs: 10_000 }
  assert.equal(mayEndHold(viewOf(4, [5, 5, 5], quiet)), true)
  assert.equal(mayEndHold(viewOf(4, [5, 5, 5], { quietMs: 9_999 })), false)
  assert.equal(mayEndHold(viewOf(4, [5, 5, undefined], quiet)), false)
  assert.equal(mayEndHold(viewOf(4, [5, 6, 5], quiet)), false)
  assert.equal(mayEndHold(viewOf(4, [5, 4, 5], quiet)), false)
  assert.equal(mayEndHold(viewOf(1, [], quiet)), true)
})

// An operator that works on a height has seen a commit of the one before, whose signers are over
// 2/3. Whoever of the others speaks, while nobody lies, it is not let to sign there again.
test('hold: whatever it has signed lies at or below the target, unless a third lies', () => {
  const sizes = fc.integer({ min: 4, max: 7 })
  const worlds = sizes.chain((count) =>
    fc.record({
      count: fc.constant(count),
      signed: fc.integer({ min: 3, max: 100 }),
      laggards: fc.array(fc.integer({ min: 0, max: 100 }), {
        maxLength: Math.floor((count - 1) / 3),
      }),
      ahead: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 7, maxLength: 7 }),
      order: fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
      silent: fc.integer({ min: 0, max: 3 }),
    }),
  )
  fc.assert(
    fc.property(worlds, ({ count, signed, laggards, ahead, order, silent }) => {
      const heights = Array.from({ length: count - 1 }, (_, i) =>
        i < laggards.length ? (laggards[i] as number) : signed - 2 + (ahead[i] as number),
      )
      const spoken = heights.map((height, i) =>
        (order[i] as number) < silent ? undefined : height,
      )
      const target = holdTarget(viewOf(count, spoken))
      assert(target === undefined || target >= signed, `${target} for ${signed}`)
    }),
  )
})
