// An operator of a network whose others are processes of their own, in this process: for those who
// do not behave.
import { cometTimings, findComet } from '#consensus'
import {
  createDisk,
  loadOperatorFolder,
  loadSettings,
  type OperatorOptions,
  type RunningOperator,
  startOperator,
  systemClock,
  systemRng,
} from '#node'
import type { OperatorId } from '#records'
import { silentLogger } from '../support/manual-clock.ts'
import type { CometNetwork } from './comet-network.ts'

/** What an operator here is started with; it runs CometBFT. */
export type OptionsHere = OperatorOptions & {
  readonly consensus: { readonly engine: 'cometbft' }
}

/**
 * Starts an operator as its folder says.
 *
 * @param adapt - how it differs from that.
 */
export async function startHere(
  { devnet, folderOf }: CometNetwork,
  id: OperatorId,
  adapt: (options: OptionsHere) => OperatorOptions,
): Promise<RunningOperator> {
  const folder = folderOf(id)
  const disk = createDisk(folder)
  const { genesis, keys } = await loadOperatorFolder(disk, id)
  const { l1Url, feeds, gateway, cometbft } = await loadSettings(disk)
  const { listen, peers, mempool, snapshots, rpcListen } = cometbft
  return startOperator(
    adapt({
      ...{ id, ...keys, genesis, folder, disk, l1Url, feeds, port: gateway.port },
      consensus: {
        engine: 'cometbft',
        binary: findComet(process.env.PATH ?? '', cometbft.binary).path,
        peers: { listen, persistent: peers },
        timing: cometTimings.lan,
        ...{ mempool, snapshots, rpcListen },
      },
      gateways: () => new Map([...devnet.operators].map(([one, { url }]) => [one, url])),
      ...{ clock: systemClock, rng: systemRng, logger: silentLogger, onFailure: () => {} },
    }),
  )
}
