import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockFolder, makeFolders } from '#node'
import { type Disk, DomainError } from '#primitives'
import type { SavedNetwork } from './network-file.ts'
import { type DevnetEngine, devnetEngines } from './options.ts'

/**
 * The folder of a network, kept from other processes as long as it is open; without `data` a
 * temporary one, which goes when it is closed.
 *
 * @param onOpened - told how to close what is open.
 * @throws DataUnusableError, FolderInUseError
 */
export async function openFolder(
  data: string | undefined,
  onOpened: (close: () => void) => void,
): Promise<string> {
  const folder =
    data === undefined ? mkdtempSync(join(tmpdir(), 'nodeop-devnet-')) : await usable(data)
  if (data === undefined) onOpened(() => rmSync(folder, { recursive: true, force: true }))
  const lock = lockFolder(folder)
  onOpened(() => lock.release())
  return folder
}

async function usable(data: string): Promise<string> {
  try {
    await makeFolders(data, 0o700)
    accessSync(data, constants.R_OK | constants.W_OK | constants.X_OK)
    return data
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new DataUnusableError(
      `--data ${data} cannot be used as a folder (${why})`,
      { folder: data },
      cause,
    )
  }
}

/**
 * Operators neither join nor leave by an option.
 *
 * @throws DataMismatchError
 */
export function requireSize(
  { members }: SavedNetwork,
  asked: { readonly operators: number },
): void {
  const holds = members.length
  if (holds !== asked.operators)
    throw new DataMismatchError(
      `--data holds a network of ${holds} operators, not ${asked.operators}: ` +
        `say --operators ${holds}, or name an empty folder`,
      { holds, asked: asked.operators },
    )
}

/**
 * An engine goes on from its own files: it cannot take up what another has decided.
 *
 * @throws DataMismatchError
 */
export async function requireEngine(
  disk: Disk,
  asked: { readonly engine: DevnetEngine },
): Promise<void> {
  const files = await disk.list('operator-1')
  const holds = devnetEngines.find((engine) => files.includes(filesOf[engine]))
  if (holds !== undefined && holds !== asked.engine)
    throw new DataMismatchError(
      `--data holds a network that runs on ${holds}, not on ${asked.engine}: ` +
        `say --engine ${holds}, or name an empty folder`,
      { holds, asked: asked.engine },
    )
}

/** What only operators on this engine have in their folder. */
const filesOf: Readonly<Record<DevnetEngine, string>> = {
  embedded: 'consensus.log',
  cometbft: 'cometbft',
}

/** The data folder cannot be made, or not written. */
export class DataUnusableError extends DomainError<'DataUnusable', { folder: string }> {
  override readonly code = 'DataUnusable'
}

/** The data folder holds a network of another size, or on another engine, than was asked for. */
export class DataMismatchError extends DomainError<
  'DataMismatch',
  { readonly holds: number | string; readonly asked: number | string }
> {
  override readonly code = 'DataMismatch'
}
