import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createWorld,
  files,
  type Guarding,
  live,
  type World,
} from './test-support/operator-lives.ts'

const asBuilt: Guarding = (guard) => guard

/** Each purpose as it would be without its guard. */
const without: Readonly<Record<'vote' | 'report' | 'transaction' | 'nonce', Guarding>> = {
  vote: (guard) => ({
    ...guard,
    votes: { admit: () => Promise.resolve({ ok: true }), restore: () => Promise.resolve() },
  }),
  report: (guard) => ({
    ...guard,
    reports: {
      next: (atLeast) => atLeast,
      sign: (_sequence, _digest, make) => Promise.resolve({ ok: true, signature: make() }),
    },
  }),
  transaction: (guard) => ({
    ...guard,
    transactions: {
      admit: () => Promise.resolve({ ok: true }),
      release: () => Promise.resolve(),
      isLeftOver: () => false,
    },
  }),
  nonce: (guard) => ({
    ...guard,
    nonces: {
      ...guard.nonces,
      sign: (_position, _digest, make) => Promise.resolve({ ok: true, signature: make() }),
    },
  }),
}

/** Several lives, each ended at a step by chance, by a kill or a power cut. */
async function history(
  world: World,
  guarding: Guarding = asBuilt,
  { lives = 12, cutsLog = false } = {},
): Promise<World> {
  for (let life = 0; life < lives; life++) {
    world.disk.crashAt(world.pick(80), world.chance(0.5) ? 'before' : 'after')
    await live(world, guarding, 4)
    world.disk = world.chance(0.3) ? world.disk.afterKill() : world.disk.afterPowerCut()
    if (cutsLog && world.chance(0.8)) cutLog(world)
  }
  return world
}

/** Takes away the end of the log, as damage does. */
function cutLog({ disk, pick }: World): void {
  const bytes = disk.bytes(files.log)
  if (bytes) disk.put(files.log, bytes.slice(0, bytes.length - pick(bytes.length / 2)))
}

const seeds = Array.from({ length: 40 }, (_, i) => i + 1)

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
        const world = await history(createWorld(seed), guarding, { lives: 24, cutsLog: true })
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
