import { spawnSync } from 'node:child_process'
import { findComet } from '#consensus'

/** The CometBFT that tests run, and why they are skipped where there is none. */
export type TestComet = { readonly path: string; readonly skip: string | false }

/**
 * Tests of the engine are skipped only where neither CometBFT nor Go is there; where Go is, setup
 * has been forgotten, and they fail.
 *
 * @throws CometMissingError
 */
export function cometForTests(): TestComet {
  try {
    return { path: findComet(process.env.PATH ?? '').path, skip: false }
  } catch (error) {
    if (spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0) throw error
    return { path: '', skip: 'neither CometBFT nor Go is installed' }
  }
}
