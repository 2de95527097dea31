import { accessSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { genesisFile, lockFile, lockFolder, makeFolders } from '#node'
import { type Disk, DomainError } from '#primitives'
import { l1Folder } from './l1-adopt.ts'
import { keysFile, type SavedNetwork } from './network-file.ts'
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
  if (data !== undefined) await requireUsable(data)
  const folder = data ?? mkdtempSync(join(tmpdir(), 'nodeop-devnet-'))
  if (data === undefined) onOpened(() => rmSync(folder, { recursive: true, force: true }))
  const lock = lockFolder(folder)
  onOpened(() => lock.release())
  return folder
}

/** Nothing is written into a folder that is refused. */
async function requireUsable(data: string): Promise<void> {
  const [foreign, ...more] = foreignAmong(await namesIn(data))
  if (foreign === undefined) return
  const found = more.length === 0 ? foreign : `${foreign} and ${more.length} more`
  throw new DataUnusableError(
    `--data ${data} holds ${found}, but no network: name an empty folder`,
    {
      folder: data,
    },
  )
}

/** What the folder holds, which is made where there is none. */
async function namesIn(data: string): Promise<readonly string[]> {
  try {
    await makeFolders(data, 0o700)
    accessSync(data, constants.R_OK | constants.W_OK | constants.X_OK)
    return readdirSync(data).sort()
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
 * What keeps a folder from being a network's: in one that holds none yet, all that neither a system
 * puts there by itself nor a start that ended before its network was saved. Where an operator has
 * left its folder, the keys are lost, and `loadNetwork` says so.
 */
const foreignAmong = (names: readonly string[]): readonly string[] =>
  names.includes(keysFile)
    ? []
    : names.filter((name) => !beforeKeys.has(name) && !harmless.test(name))

const beforeKeys: ReadonlySet<string> = new Set([
  ...['lost+found', l1Folder, lockFile, `${lockFile}-journal`],
  ...[genesisFile, keysFile].flatMap((name) => [name, `${name}.new`]),
])
const harmless = /^\.|^operator-\d+$/

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

/** The data folder cannot be made, or not written, or is something else's. */
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
