import type { Disk } from '#primitives'
import { DomainError } from '#primitives'
import { decode, encode, type Genesis, genesisCodec, type OperatorId } from '#records'
import { identityOf } from './keys.ts'
import { loadOperatorKeys, type OperatorKeys, saveOperatorKeys } from './operator-keys.ts'
import { loadFile, saveFile } from './whole-file.ts'

/** The genesis in an operator's or a network's folder, as SSZ. */
export const genesisFile = 'genesis.ssz'

/** What an operator's folder holds before its first start. */
export type OperatorFolder = { readonly genesis: Genesis; readonly keys: OperatorKeys }

/** Makes a folder ready for its operator. The keys come last: without them nothing starts. */
export async function saveOperatorFolder(disk: Disk, folder: OperatorFolder): Promise<void> {
  await disk.makeFolder('')
  await saveFile(disk, genesisFile, encode(genesisCodec, folder.genesis))
  await saveOperatorKeys(disk, folder.keys)
}

/**
 * Reads a folder, and sees that its keys are those of the operator in its genesis.
 *
 * @throws OperatorKeysError, GenesisFileError
 */
export async function loadOperatorFolder(
  disk: Disk,
  operator: OperatorId,
): Promise<OperatorFolder> {
  const keys = await loadOperatorKeys(disk)
  const genesis = await loadGenesis(disk)
  const known = genesis.operators.find(({ id }) => id === operator)
  const own = identityOf(keys.secrets)
  const path = disk.pathOf(genesisFile)
  if (!known) throw new GenesisFileError(`${path} has no operator ${operator}`, { path })
  if (known.consensusKey !== own.consensusKey || known.ledgerAddress !== own.ledgerAddress)
    throw new GenesisFileError(
      `${path} gives operator ${operator} the consensus key ${known.consensusKey}, ` +
        `the keys beside it are those of ${own.consensusKey}`,
      { path },
    )
  return { genesis, keys }
}

/** The genesis of a folder. @throws GenesisFileError */
export async function loadGenesis(disk: Disk): Promise<Genesis> {
  const path = disk.pathOf(genesisFile)
  const bytes = await loadFile(disk, genesisFile)
  if (!bytes) throw new GenesisFileError(`${path} is missing`, { path })
  try {
    return decode(genesisCodec, bytes)
  } catch (cause) {
    if (!(cause instanceof DomainError)) throw cause
    throw new GenesisFileError(`${path} cannot be read: restore it from a copy`, { path }, cause)
  }
}

/** The genesis is missing, damaged, or not the one that the operator's keys belong to. */
export class GenesisFileError extends DomainError<'GenesisFile', { readonly path: string }> {
  override readonly code = 'GenesisFile'
}
