import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asBuilt, history, without } from '../../../test/support/guard-histories.ts'
import { createWorld, live } from '../../../test/support/operator-lives.ts'

const seeds = Array.from({ length: 20 }, (_, i) => i + 1)

test('crash: at every step, before and after it, nothing is signed twice and nothing lost', async () => {
  const whole = createWorld(1)
  await live(whole, asBuilt, 3)
  const steps = whole.disk.steps()
  assert(steps > 40)
  const rewrites = whole.disk.trace.filter((one) => one === 'rename guard.log.new guard.log')
  assert(rewrites.length >= 2, 'the guard is made and written anew on the way')
  for (let step = 0; step < steps; step++)
    for (const when of ['before', 'after'] as const)
      for (const end of ['afterPowerCut', 'afterKill'] as const) {
        const world = createWorld(1)
        world.disk.crashAt(step, when)
        await live(world, asBuilt, 3)
        const place = `${when} ${world.disk.trace[step]}, step ${step}, ${end}`
        world.disk = world.disk[end]()
        await live(world, asBuilt, 1)
        world.disk = world.disk.afterPowerCut()
        await live(world, asBuilt, 1)
        assert.deepEqual(world.checker.violations, [], place)
        assert.equal(world.emptySlots, 0, place)
      }
})

test('crash: over many lives nothing is signed twice, nothing lost, and no slot stays empty', async () => {
  for (const seed of seeds) {
    const world = await history(createWorld(seed))
    assert.deepEqual(world.checker.violations, [], `seed ${seed}`)
    assert.equal(world.emptySlots, 0, `seed ${seed}`)
  }
})

test('crash: what happens is work: every purpose signs, blocks are saved', async () => {
  const world = await history(createWorld(1), asBuilt, { lives: 30 })
  for (const purpose of ['vote', 'report', 'transaction', 'nonce'])
    assert(world.checker.seen(purpose) > 3, purpose)
  assert(world.saved.length > 3)
})

test('crash: with its log cut again and again, an operator still signs nothing twice', async () => {
  let empty = 0
  for (const seed of seeds) {
    const world = await history(createWorld(seed), asBuilt, { cutsLog: true })
    assert.deepEqual(world.checker.violations, [], `seed ${seed}`)
    empty += world.emptySlots
  }
  assert(empty > 0, 'the guard had something to refuse')
})

test('crash: a seed repeats to the last step', async () => {
  const traceOf = async () => {
    const world = await history(createWorld(3), without.report)
    return [world.disk.trace, world.checker.violations, world.saved]
  }
  assert.deepEqual(await traceOf(), await traceOf())
})

for (const [purpose, guarding] of Object.entries(without))
  test(`control: without the guard of its ${purpose}s the checker finds doubles`, async () => {
    const found = await Promise.all(
      seeds.map(async (seed) => {
        const world = await history(createWorld(seed), guarding, { lives: 32, cutsLog: true })
        const own = world.checker.violations.filter((one) => one.startsWith(`${purpose} `))
        assert.equal(own.length, world.checker.violations.length, 'the other guards still hold')
        return own.length > 0
      }),
    )
    assertMostly(found)
  })

test('control: on a disk that ignores syncs the checker finds doubles, or a loss', async () => {
  const found = await Promise.all(
    seeds.map(async (seed) => {
      const world = createWorld(seed, { faith: { syncs: 'ignored' } })
      try {
        await history(world, asBuilt, { lives: 24 })
      } catch {
        return true
      }
      return world.checker.violations.length > 0
    }),
  )
  assertMostly(found)
})

test('control: were a vote recorded before what led to it, slots would stay empty', async () => {
  const found = await Promise.all(
    seeds.map(async (seed) => {
      const world = await history(createWorld(seed, { logsFirst: false }), asBuilt, { lives: 30 })
      assert.deepEqual(world.checker.violations, [])
      return world.emptySlots > 0
    }),
  )
  assertMostly(found)
})

/** In at least 95 % of the seeds. */
function assertMostly(found: readonly boolean[]): void {
  const count = found.filter(Boolean).length
  assert(count >= 0.95 * found.length, `${count} of ${found.length}`)
}
