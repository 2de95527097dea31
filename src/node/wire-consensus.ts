import { join } from 'node:path'
import {
  type ConsensusEngine,
  createCometEngine,
  createEmbeddedEngine,
  createSigner,
  maxBlockBytes,
  openFileBlockStore,
  openFileLog,
  raiseSignState,
  type SignRecord,
  type Transport,
} from '#consensus'
import type { Disk, Hex } from '#primitives'
import { networkId } from '#records'
import type { LedgerApplication } from './application.ts'
import type { Cleanup } from './cleanup.ts'
import { consensusGuard } from './guard/consensus-guard.ts'
import type { Guard } from './guard/guard.ts'
import type { Floor } from './guard/records.ts'
import { identityOf } from './keys.ts'
import { type LedgerKeeper, ledgerFile } from './ledger-keeper.ts'
import { type CometChoice, defaultKeptBlocks, type OperatorOptions } from './operator-parts.ts'
import type { RestoredHold } from './restored.ts'
import type { SequencerHost } from './sequencer-host.ts'
import { openSnapshots } from './snapshot/operator-snapshots.ts'

/** CometBFT's folder within the operator's. */
const cometFolder = 'cometbft'

/** Version of the ledger's rules: operators of one network run the same. */
const appVersion = 1

/** What an engine is put together from. */
export type ConsensusParts = {
  readonly options: OperatorOptions
  readonly application: LedgerApplication
  readonly keeper: LedgerKeeper
  readonly sequencer: SequencerHost | undefined
  readonly cleanup: Cleanup
  readonly disk: Disk
  readonly guard: Guard
  readonly hold: RestoredHold
}

/** Whose an operator's files are. */
export const ownerOf = ({
  genesis,
  secrets,
}: OperatorOptions): { readonly networkId: Hex; readonly validator: Hex } => ({
  networkId: networkId(genesis),
  validator: identityOf(secrets).consensusKey,
})

/** The engine that the options ask for, not yet started. What it opens goes into the cleanup. */
export function createConsensus(
  parts: ConsensusParts,
  onFailure: (error: unknown) => void,
): Promise<ConsensusEngine> {
  const { consensus } = parts.options
  return consensus.engine === 'embedded'
    ? createEmbedded(parts, consensus.transport, onFailure)
    : createComet(parts, consensus, onFailure)
}

async function createEmbedded(
  { options, application, cleanup, disk, guard, hold }: ConsensusParts,
  transport: Transport,
  onFailure: (error: unknown) => void,
): Promise<ConsensusEngine> {
  const { genesis, secrets, logger, clock } = options
  const network = networkId(genesis)
  const log = await openFileLog('consensus.log', ownerOf(options), logger, disk)
  cleanup.add(() => log.close())
  const blockStore = await openFileBlockStore('blocks.log', network, logger, disk, {
    keptBlocks: options.keptBlocks ?? defaultKeptBlocks,
  })
  cleanup.add(() => blockStore.close())
  const signer = createSigner(secrets.consensusSeed, consensusGuard(guard, log))
  return createEmbeddedEngine({
    networkId: network,
    stateFiles: `${disk.pathOf(ledgerFile)} with its -wal and -shm`,
    ...{ application, signer, log, blockStore, transport, clock, logger, hold, onFailure },
  })
}

/**
 * What of the guard ends a hold. CometBFT's own record comes before it: once the mark is gone, it
 * is believed.
 */
export function holdGuardOf(
  { consensus, folder }: OperatorOptions,
  guard: Guard,
): Pick<Guard, 'isHeld' | 'endHold'> {
  if (consensus.engine === 'embedded') return guard
  return {
    isHeld: () => guard.isHeld(),
    async endHold(height) {
      raiseSignState(join(folder, cometFolder), height)
      await guard.endHold(height)
    },
  }
}

/** Our guard keeps reports, nonces and L1 transactions; votes are in CometBFT's own record. */
async function createComet(
  { options, application, keeper, sequencer, cleanup, disk, guard, hold }: ConsensusParts,
  { binary, snapshots: choice, nodeSeed, ...config }: CometChoice,
  onFailure: (error: unknown) => void,
): Promise<ConsensusEngine> {
  const { genesis, secrets, logger, clock, name } = options
  const network = networkId(genesis)
  const { folder } = options
  const snapshots = await openSnapshots(
    { network, folder, disk, application, keeper, sequencer, logger },
    choice,
  )
  cleanup.add(() => snapshots.stop())
  return createCometEngine({
    snapshots,
    genesis: {
      networkId: network,
      appVersion,
      timeMs: genesis.timeMs,
      validators: genesis.operators.map(({ consensusKey, power }) => ({ consensusKey, power })),
      maxTransactionBytes: maxBlockBytes,
    },
    folder: join(folder, cometFolder),
    consensusSeed: secrets.consensusSeed,
    nodeSeed,
    config: { moniker: name, ...config },
    signRecord: signRecordIn(guard),
    tryDisk: () => tryDisk(disk),
    ...{ application, binary, hold, clock, logger, onFailure },
  })
}

/**
 * That CometBFT has a record of votes stands in the guard as a vote before the first height: where
 * both CometBFT's folder and the ledger are gone, the guard alone tells that votes were given.
 */
const signRecordIn = (guard: Guard): SignRecord => ({
  hasBegun: () => guard.floor().vote !== undefined,
  async begin() {
    if (guard.floor().vote === undefined) await guard.raise(votesElsewhere)
  },
})

const votesElsewhere: Floor = {
  vote: { height: 0, round: 0, step: 'proposal' },
  ...{ report: undefined, transaction: 0, index: 0 },
}

/** More than CometBFT writes before it signs. */
const triedBytes = 64 * 1024

/** Writes where CometBFT does, by our own disk, whose errors say what is wrong. */
async function tryDisk(disk: Disk): Promise<void> {
  const path = `${cometFolder}/written-to-try-the-disk`
  const file = await disk.open(path)
  try {
    await file.write(0, new Uint8Array(triedBytes))
    await file.sync()
  } finally {
    await file.close()
    await disk.remove(path)
  }
}
