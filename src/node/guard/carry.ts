import { hasFile, readHeader, readOwner } from '#consensus'
import type { Disk, Logger } from '#primitives'
import { networkId } from '#records'
import { createDisk } from '../disk.ts'
import { identityOf } from '../keys.ts'
import { loadGenesis } from '../operator-folder.ts'
import { loadOperatorKeys, operatorKeysFile } from '../operator-keys.ts'
import { systemRng } from '../system.ts'
import { guardFile, openGuard, readFloor } from './guard.ts'
import { lockFolder } from './lock.ts'
import type { Floor, GuardOwner } from './records.ts'
import { decodeWatermark, encodeWatermark } from './watermark.ts'

/**
 * Whose an operator's folder is, by its keys, else by its guard; undefined where neither says it.
 *
 * @throws OperatorKeysError, GenesisFileError, CodecError of a guard that names nobody, and the
 * disk's own errors.
 */
export async function ownerInFolder(disk: Disk): Promise<GuardOwner | undefined> {
  if (await hasFile(disk, operatorKeysFile)) {
    const { secrets } = await loadOperatorKeys(disk)
    const genesis = await loadGenesis(disk)
    return { networkId: networkId(genesis), operator: identityOf(secrets).consensusKey }
  }
  const header = await readHeader(disk, guardFile)
  if (!header) return undefined
  const { validator, ...owner } = readOwner(header)
  return validator === undefined ? undefined : { networkId: owner.networkId, operator: validator }
}

/** An operator's folder at rest, and whose it is. */
export type GuardFolder = {
  /** Absolute. */
  readonly folder: string
  readonly owner: GuardOwner
  readonly logger: Logger
}

/**
 * What an operator has signed at most, as a text for `importWatermark` elsewhere.
 *
 * @throws FolderInUseError while the operator runs, and what `readFloor` throws.
 */
export const exportWatermark = ({ folder, owner, logger }: GuardFolder): Promise<string> =>
  atRest(folder, async (disk) => {
    const floor = await readFloor({ disk, ...owner, logger })
    return encodeWatermark({ ...owner, floor })
  })

/**
 * Raises an operator's guard to a watermark, or makes one from it; the higher of both holds,
 * purpose by purpose.
 *
 * @returns what is signed no more.
 * @throws BadWatermarkError, FolderInUseError while the operator runs, and what `openGuard` throws.
 */
export function importWatermark(
  { folder, owner, logger }: GuardFolder,
  text: string,
): Promise<Floor> {
  const { floor } = decodeWatermark(text, owner)
  return atRest(folder, async (disk) => {
    const guard = await openGuard({ disk, ...owner, floor, rng: systemRng, logger })
    await guard.close()
    return guard.floor()
  })
}

async function atRest<T>(folder: string, run: (disk: Disk) => Promise<T>): Promise<T> {
  const lock = lockFolder(folder)
  try {
    return await run(createDisk(folder))
  } finally {
    lock.release()
  }
}
