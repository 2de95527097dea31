import { basename, dirname } from 'node:path'
import {
  createDisk,
  type GuardOwner,
  genesisFile,
  identityOf,
  loadFile,
  type OperatorKeys,
  operatorKeysCodec,
  saveFile,
  seal,
  unseal,
} from '#node'
import { type Disk, DomainError, type Hex } from '#primitives'
import {
  type Codec,
  decode,
  encode,
  type Genesis,
  genesisCodec,
  hash32,
  list,
  maxOperators,
  networkId,
  record,
  uint64,
} from '#records'
import type { DevnetOperator } from './network.ts'

/**
 * What only a devnet's folder knows of its network: every operator's secrets, and which L1 it is
 * on. The secrets are in plain bytes, readable by the file's owner alone: a devnet has to start
 * without asking anybody, and what it guards is money of its own making.
 */
export const keysFile = 'devnet.keys'

/** A block of L1 by which a network knows its chain again: the one that made the Outbox. */
export type L1Anchor = { readonly block: number; readonly hash: Hex }

/** A network as its folder keeps it. */
export type SavedNetwork = {
  readonly genesis: Genesis
  readonly members: readonly DevnetOperator[]
  readonly anchor: L1Anchor
}

/** Keeps a network. The keys come last: a folder without them holds no network yet. */
export async function saveNetwork(disk: Disk, network: SavedNetwork): Promise<void> {
  await saveFile(disk, genesisFile, encode(genesisCodec, network.genesis))
  await saveFile(disk, keysFile, seal(heading, encode(keysCodec, toKeys(network))))
}

/**
 * The network of a folder; undefined when it holds none, or one that never came to run.
 *
 * @throws DataDamagedError, DataVersionError: nothing is changed then.
 */
export async function loadNetwork(disk: Disk): Promise<SavedNetwork | undefined> {
  const keys = await loadFile(disk, keysFile)
  if (!keys) {
    await refuseWithoutKeys(disk)
    return undefined
  }
  const saved = openKeys(disk, keys)
  const genesisBytes = await loadFile(disk, genesisFile)
  if (!genesisBytes) throw damaged(disk, genesisFile, 'is missing')
  const genesis = attempt(disk, genesisFile, () => decode(genesisCodec, genesisBytes))
  if (networkId(genesis) !== saved.network)
    throw damaged(disk, genesisFile, `is not the genesis of network ${saved.network}`)
  const members = attempt(disk, keysFile, () => toMembers(saved.operators))
  requireSameKeys(disk, genesis, members)
  return { genesis, members, anchor: { block: saved.l1Block, hash: saved.l1Hash } }
}

/**
 * Whose an operator's folder within a devnet's is: `operator-2` of a folder is its second's.
 *
 * @param folder - absolute.
 * @returns undefined where there is no such devnet or operator.
 * @throws DataDamagedError, DataVersionError
 */
export async function ownerInDevnet(folder: string): Promise<GuardOwner | undefined> {
  const disk = createDisk(dirname(folder))
  if (!(await loadFile(disk, keysFile))) return undefined
  const network = await loadNetwork(disk)
  const member = network?.members.find(({ name }) => name === basename(folder))
  if (!network || !member) return undefined
  return ownerOf(network.genesis, member)
}

/** Whose a member's guard is. */
export const ownerOf = (genesis: Genesis, { identity }: DevnetOperator): GuardOwner => ({
  networkId: networkId(genesis),
  operator: identity.consensusKey,
})

/** What a run leaves that has ended before its network was whole is made anew; more is not. */
async function refuseWithoutKeys(disk: Disk): Promise<void> {
  const operator = (await disk.list('')).find((name) => name.startsWith('operator-'))
  if (operator) throw damaged(disk, keysFile, `is missing, and ${operator} was in use`)
}

/** First line of the file of keys; its number goes up whenever what follows changes. */
const heading = 'NodeOP devnet 1'

function openKeys(disk: Disk, bytes: Uint8Array): Keys {
  const { heading: found, body } = unseal(bytes)
  if (found !== heading) throw unknownHeading(disk, found)
  if (!body) throw damaged(disk, keysFile, 'has a wrong checksum')
  return attempt(disk, keysFile, () => decode(keysCodec, body))
}

function unknownHeading(disk: Disk, found: string): Error {
  if (!/^NodeOP devnet \d{1,9}$/.test(found)) return damaged(disk, keysFile, 'has no heading')
  const path = disk.pathOf(keysFile)
  return new DataVersionError(
    `${path} is of "${found}", this software reads "${heading}": use the other version`,
    { path },
  )
}

type Keys = {
  readonly network: Hex
  readonly l1Block: number
  readonly l1Hash: Hex
  readonly operators: readonly OperatorKeys[]
}

const keysCodec: Codec<Keys> = record({
  network: hash32,
  l1Block: uint64,
  l1Hash: hash32,
  operators: list<OperatorKeys>(operatorKeysCodec, maxOperators),
})

const toKeys = ({ genesis, members, anchor }: SavedNetwork): Keys => ({
  network: networkId(genesis),
  l1Block: anchor.block,
  l1Hash: anchor.hash,
  operators: members,
})

const toMembers = (operators: readonly OperatorKeys[]): readonly DevnetOperator[] =>
  operators.map((keys) => ({
    id: keys.key.operator,
    ...keys,
    identity: identityOf(keys.secrets),
  }))

/** The keys are those that the genesis names, operator by operator. */
function requireSameKeys(disk: Disk, genesis: Genesis, members: readonly DevnetOperator[]): void {
  const isOwn = ({ id, identity, key }: DevnetOperator, place: number) => {
    const known = genesis.operators[place]
    return (
      known?.id === id &&
      known.ledgerAddress === identity.ledgerAddress &&
      known.consensusKey === identity.consensusKey &&
      known.verifyingShare === key.verifyingShare
    )
  }
  if (members.length !== genesis.operators.length || !members.every(isOwn))
    throw damaged(disk, keysFile, 'holds other keys than the genesis names')
}

function attempt<T>(disk: Disk, file: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    throw damaged(disk, file, 'cannot be read', error)
  }
}

function damaged(disk: Disk, file: string, fault: string, cause?: unknown): DataDamagedError {
  const path = disk.pathOf(file)
  const message = `${path} ${fault}: restore the folder from a copy, or name an empty one`
  return new DataDamagedError(message, { path }, cause)
}

/** The folder's network cannot be read: a file is missing, damaged or another network's. */
export class DataDamagedError extends DomainError<'DataDamaged', { path: string }> {
  override readonly code = 'DataDamaged'
}

/** Another version of the software wrote the folder. */
export class DataVersionError extends DomainError<'DataVersion', { path: string }> {
  override readonly code = 'DataVersion'
}
