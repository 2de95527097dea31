import { resolve } from 'node:path'
import { cometTimings, findComet, requireMempool } from '#consensus'
import type { Logger } from '#primitives'
import { createDisk } from './disk.ts'
import { loadOperatorFolder } from './operator-folder.ts'
import type { RunningOperator } from './operator-parts.ts'
import { loadSettings, type OperatorSettings } from './settings.ts'
import { systemClock, systemRng } from './system.ts'
import { startOperator } from './wire.ts'

/** How an operator is started on a machine of its own. */
export type StartOptions = {
  /** Its folder, absolute: keys, genesis, settings, and all that it writes. */
  readonly folder: string
  /** Absent: those in the folder. */
  readonly settings?: OperatorSettings
  /** Folders to look for CometBFT in, as the environment's `PATH`. */
  readonly searchPath: string
  /** See `OperatorOptions`. */
  readonly init?: boolean
  readonly logger: Logger
  readonly onFailure: (error: unknown) => void
  readonly signal?: AbortSignal
}

/**
 * Starts the operator of a folder, with CometBFT as its engine.
 *
 * @throws SettingsError, OperatorKeysError, GenesisFileError, CometMissingError, and what
 * `startOperator` throws.
 */
export async function startFromFolder(options: StartOptions): Promise<RunningOperator> {
  const { folder, searchPath, init = false, logger, onFailure, signal } = options
  const disk = createDisk(folder)
  const settings = options.settings ?? (await loadSettings(disk))
  const { operator, gateway, l1Url, feeds, gateways, cometbft, declares, keptBlocks } = settings
  const { genesis, keys } = await loadOperatorFolder(disk, operator)
  const named = cometbft.binary === undefined ? undefined : resolve(folder, cometbft.binary)
  const program = findComet(searchPath, named)
  requireMempool(program, cometbft.mempool)
  const known = new Map(Object.entries(gateways).map(([id, url]) => [Number(id), url]))
  const { listen, external, peers, mempool, rpcListen, snapshots, stateSync } = cometbft
  return startOperator({
    id: operator,
    ...keys,
    ...{ genesis, folder, disk, init, l1Url, feeds, gateways: () => known },
    consensus: {
      engine: 'cometbft',
      ...{ binary: program.path, mempool, timing: cometTimings[cometbft.timing] },
      ...{ rpcListen, snapshots, stateSync },
      peers: { listen, persistent: peers, ...(external === undefined ? {} : { external }) },
    },
    ...{ host: gateway.host, port: gateway.port },
    ...{ clock: systemClock, rng: systemRng, logger, onFailure },
    ...(declares ? { declares } : {}),
    ...(keptBlocks === undefined ? {} : { keptBlocks }),
    ...(signal ? { signal } : {}),
  })
}
