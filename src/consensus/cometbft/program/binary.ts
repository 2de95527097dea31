import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { DomainError } from '#primitives'
import type { CometMempool } from './config.ts'
import { cometVersion, cometVersionOf, cometVersions } from './release.ts'

/** A CometBFT that can be run. */
export type CometBinary = { readonly path: string; readonly version: string }

/** Where `npm run setup:cometbft` puts the program that it builds. */
export const cometToolsFolder = join(import.meta.dirname, '../../../../tools/.bin')

const program = process.platform === 'win32' ? 'cometbft.exe' : 'cometbft'

/**
 * The CometBFT to run: the one that is named, else the release of `cometVersion` in the project's
 * tools or on the search path.
 *
 * @param searchPath - folders as the environment's `PATH` lists them.
 * @param named - a program's path; any release of `cometVersions` will do.
 * @throws CometMissingError, with what was found instead.
 */
export function findComet(
  searchPath: string,
  named?: string,
  toolsFolder = cometToolsFolder,
): CometBinary {
  if (named !== undefined) return requireComet(named)
  const folders = [toolsFolder, ...searchPath.split(delimiter).filter((folder) => folder !== '')]
  const others: string[] = []
  for (const path of folders.map((folder) => join(folder, program))) {
    if (!isProgram(path)) continue
    const version = cometVersionOf(path)
    if (version === cometVersion) return { path, version }
    others.push(describe(path, version))
  }
  const found = others.length > 0 ? `; found ${others.join(', ')}` : ''
  throw new CometMissingError(
    `CometBFT ${cometVersion} is not installed${found}; run: npm run setup:cometbft`,
    { wanted: cometVersion },
  )
}

function requireComet(path: string): CometBinary {
  const version = isProgram(path) ? cometVersionOf(path) : undefined
  if (version !== undefined && cometVersions.includes(version)) return { path, version }
  throw new CometMissingError(
    `${describe(path, version)} cannot be used; allowed: CometBFT ${cometVersions.join(' or ')}`,
    { wanted: cometVersion },
  )
}

/**
 * That a program has this mempool: v0.38 has its own alone.
 *
 * @throws CometMissingError
 */
export function requireMempool({ path, version }: CometBinary, mempool: CometMempool): void {
  if (mempool === 'flood' || version === cometVersion) return
  throw new CometMissingError(
    `${describe(path, version)} has no ${mempool} mempool: let cometbft.mempool be flood`,
    { wanted: cometVersion },
  )
}

const describe = (path: string, version: string | undefined): string =>
  version === undefined ? `${path} (no CometBFT)` : `${path} of version ${version}`

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** There is no CometBFT that this software can run. */
export class CometMissingError extends DomainError<'CometMissing', { readonly wanted: string }> {
  override readonly code = 'CometMissing'
}
