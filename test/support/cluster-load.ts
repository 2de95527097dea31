import {
  createLoad,
  devnetAccount,
  type Load,
  l2ChainId,
  loadSecrets,
  loadSenders,
  startLoad,
} from '#devnet'
import { loadSecp256k1, systemClock } from '#node'
import { toHex } from '#primitives'
import { networkId } from '#records'
import type { Cluster } from './cluster.ts'
import { silentLogger } from './manual-clock.ts'

/** Runs while clients send transfers and one price task a second to all gateways of a network. */
export async function underLoad(
  cluster: Cluster,
  rate: number,
  run: () => Promise<void>,
): Promise<Load['records']> {
  const load = loadOn(cluster, rate)
  try {
    await startLoad(load)
    await run()
  } finally {
    await load.stop()
  }
  return load.records
}

const loadOn = (cluster: Cluster, rate: number): Load =>
  createLoad({
    gateways: cluster.operators.map(({ url }) => url),
    l2ChainId,
    senders: loadSecrets(loadSenders).map(toHex),
    taskClient: devnetAccount(9).privateKey,
    networkId: networkId(cluster.genesis),
    rate,
    symbols: ['ETH/USD', 'BTC/USD'],
    sign: loadSecp256k1().sign,
    clock: systemClock,
    logger: silentLogger,
  })
