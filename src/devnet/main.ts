import { awaitInterruption, createLogger, interruptedCode, loadSecp256k1, systemClock } from '#node'
import { assert, DomainError, type Logger, toHex } from '#primitives'
import { networkId } from '#records'
import { announcement, followCheckpoints } from './announce.ts'
import type { Devnet } from './devnet.ts'
import { sendFirstTransfer } from './first-transfer.ts'
import { startIncidents } from './incidents.ts'
import { devnetAccount } from './l1.ts'
import { createLoad, type Load, LoadStartError } from './load/load.ts'
import { emptyRecords } from './load/records.ts'
import { l2ChainId, loadSecrets, loadSenders } from './network.ts'
import { createObserver } from './observe/observer.ts'
import type { Outage } from './observe/outages.ts'
import type { DevnetOptions } from './options.ts'
import { startNetwork } from './run.ts'
import { describeSummary, type RunMode, summarise } from './summary.ts'
import { waitAtMost } from './wait.ts'

/** Where a devnet writes: what was asked for, and beside it progress and mistakes. */
export type DevnetIo = {
  write(line: string): void
  error(line: string): void
}

/** What the load's price tasks ask for, in turn. */
const symbols = ['ETH/USD', 'BTC/USD', 'EUR/USD']
/** Account of the published phrase that pays for the load's tasks. */
const taskClient = 9

/**
 * Runs a devnet until its time is over or it is interrupted, then drains it and sums up.
 *
 * @returns the exit code: 1 when it could not start, or lost something.
 */
export async function runDevnet(options: DevnetOptions, io: DevnetIo): Promise<number> {
  const say = options.json ? io.error : io.write
  const interruption = awaitInterruption()
  try {
    const devnet = await startNetwork(options, (line) => say(`… ${line}`), interruption.signal)
    for (const line of announcement(devnet)) say(line)
    const isClean = await runUntil(options, devnet, interruption.happened, say, io)
    return isClean ? 0 : 1
  } catch (error) {
    if (error === interruption.signal.reason) return interruptedCode
    if (!(error instanceof DomainError)) throw error
    io.error(`${error.code}: ${error.message}`)
    return 1
  }
}

async function runUntil(
  options: DevnetOptions,
  devnet: Devnet,
  interrupted: Promise<void>,
  say: (line: string) => void,
  io: DevnetIo,
): Promise<boolean> {
  const logger = createLogger(options.logLevel, { part: 'load' })
  const load = options.load > 0 ? loadOf(options, devnet, logger) : undefined
  const outages: Outage[] = []
  const observer = createObserver({
    gateways: devnet.gateways(),
    l1Url: devnet.l1.url,
    outbox: devnet.genesis.outbox,
    records: load?.records ?? emptyRecords(),
    outages,
    clock: systemClock,
    logger,
  })
  const checkpoints = followCheckpoints(devnet, logger, say)
  let endIncidents = async () => {}
  const drive = async () => {
    await observer.start()
    const [gateway] = devnet.gateways()
    assert(gateway, 'a network has gateways')
    say(`transfer ${await sendFirstTransfer(gateway)} sent and confirmed`)
    endIncidents = startIncidents(options, devnet, say, (outage) => outages.push(outage))
    if (load) await startLoad(load, interrupted)
    await waitAtMost(systemClock, options.forMs, [interrupted])
    await load?.stop()
    await endIncidents()
    say('… sending stopped; waiting until everything is on L1')
    return summarise(await observer.finish(), modeOf(options, devnet))
  }
  try {
    const summary = await Promise.race([drive(), devnet.l1Lost])
    io.write(options.json ? JSON.stringify(summary) : describeSummary(summary))
    return summary.lost === 0 && summary.twice === 0
  } finally {
    await checkpoints.stop()
    await observer.stop()
    await load?.stop()
    await endIncidents()
    await devnet.stop()
  }
}

/** How long a busy network may serve nobody before a load is given up, and between two tries. */
const loadPatienceMs = 120_000
const loadPauseMs = 500

/**
 * Starts a load as soon as the network serves.
 *
 * @param interrupted - ends the waiting; absent: nothing but time does.
 * @throws LoadStartError when it does not for a long time, or not before the interruption.
 */
export async function startLoad(
  load: Load,
  interrupted: Promise<void> = new Promise(() => {}),
): Promise<void> {
  let deadlineMs = systemClock.nowMs() + loadPatienceMs
  void interrupted.then(() => {
    deadlineMs = 0
  })
  for (;;)
    try {
      return await load.start()
    } catch (error) {
      if (!(error instanceof LoadStartError) || systemClock.nowMs() >= deadlineMs) throw error
      await waitAtMost(systemClock, loadPauseMs, [interrupted])
    }
}

const loadOf = (options: DevnetOptions, devnet: Devnet, logger: Logger) =>
  createLoad({
    gateways: devnet.gateways(),
    l2ChainId,
    senders: loadSecrets(loadSenders).map(toHex),
    taskClient: devnetAccount(taskClient).privateKey,
    networkId: networkId(devnet.genesis),
    rate: options.load,
    symbols,
    sign: loadSecp256k1().sign,
    clock: systemClock,
    logger,
  })

function modeOf({ share, chaos, slowOperator }: DevnetOptions, { slowness }: Devnet): RunMode {
  const span = slowness.first()
  return {
    ...(share ? { share } : {}),
    ...(chaos.length > 0 ? { chaos } : {}),
    ...(span ? { slow: { ...span, operator: slowOperator } } : {}),
  }
}
