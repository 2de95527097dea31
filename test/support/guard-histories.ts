import { files, type Guarding, live, type World } from './operator-lives.ts'

/** The guard as it is. */
export const asBuilt: Guarding = (guard) => guard

/** Each purpose as it would be without its guard. */
export const without: Readonly<Record<'vote' | 'report' | 'transaction' | 'nonce', Guarding>> = {
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
export async function history(
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
