import { createLoad, devnetAccount, type Load, l2ChainId, loadSecrets, loadSenders } from '#devnet'
import { loadSecp256k1, systemClock } from '#node'
import { toHex } from '#primitives'
import { type Genesis, networkId } from '#records'
import { silentLogger } from '../support/manual-clock.ts'

/**
 * The load of a soak: transfers of all load accounts, and price tasks.
 *
 * @param rate - transactions a second.
 */
export const loadOf = (gateways: readonly string[], genesis: Genesis, rate: number): Load =>
  createLoad({
    ...{ gateways, l2ChainId, rate, symbols: ['ETH/USD'] },
    senders: loadSecrets(loadSenders).map(toHex),
    taskClient: devnetAccount(9).privateKey,
    networkId: networkId(genesis),
    sign: loadSecp256k1().sign,
    clock: systemClock,
    logger: silentLogger,
  })
