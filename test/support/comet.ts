import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { cometToolsFolder, cometVersionOf, findComet } from '#consensus'

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

/** Another release that operators may run: setup does not install it, so tests seldom meet it. */
export function otherCometForTests(version: string): TestComet {
  const folders = [cometToolsFolder, ...(process.env.PATH ?? '').split(delimiter)]
  const path = folders
    .flatMap((folder) => [join(folder, 'cometbft'), join(folder, `cometbft-${version}`)])
    .find((program) => cometVersionOf(program) === version)
  return path === undefined
    ? { path: '', skip: `CometBFT ${version} is not on the search path` }
    : { path, skip: false }
}
