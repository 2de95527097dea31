import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import {
  createEmbeddedEngine,
  createSigner,
  createTransport,
  type EmbeddedEngine,
  openFileBlockStore,
  openFileLog,
  type Transport,
} from '#consensus'
import { consensusGuard, createDisk, openGuard, systemClock, systemRng } from '#node'
import { networkId, type OperatorId } from '#records'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { openPayloadApplication, type PayloadNetwork, payloadNetwork } from './payload-operator.ts'
import { payloadTransaction } from './payload-service.ts'

/** Blocks before those that are timed, and those. */
const warmups = 10
const timed = 100
/** Payloads that are sent for each block. */
const perBlock = 10

/**
 * How long a block takes, as fast as the embedded engine makes them: signatures, the sign guard,
 * log, block store and ledger are the operators' own, on the disk of this machine.
 *
 * @returns the median in milliseconds.
 */
export async function embeddedBlockMs(operators: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-bench-consensus-'))
  const closing: (() => unknown)[] = []
  try {
    const network = payloadNetwork(operators, Date.now())
    const transport = createTransport()
    const engines = await Promise.all(
      network.members.map(({ id }) =>
        startOperator({ network, id, transport, folder: join(folder, String(id)) }, closing),
      ),
    )
    return await measure(engines)
  } finally {
    for (const close of closing.reverse()) await close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startOperator(
  parts: {
    readonly network: PayloadNetwork
    readonly id: OperatorId
    readonly transport: Transport
    readonly folder: string
  },
  closing: (() => unknown)[],
): Promise<EmbeddedEngine> {
  const { network, id, transport, folder } = parts
  const disk = createDisk(folder)
  await disk.makeFolder('')
  const member = network.members.find((one) => one.id === id)
  if (!member) throw new Error(`defect: no operator ${id}`)
  const validator = createSigner(member.consensusSeed).publicKey
  const owner = { networkId: networkId(network.genesis), validator }
  const logger = silentLogger
  const guard = await openGuard({
    ...{ disk, networkId: owner.networkId, operator: validator, rng: systemRng, logger },
    onJudged: () => {},
  })
  const log = await openFileLog('consensus.log', owner, logger, disk)
  const blockStore = await openFileBlockStore('blocks.log', owner.networkId, logger, disk)
  const operator = await openPayloadApplication({ network, operator: id, folder, logger })
  closing.push(
    operator.close,
    () => blockStore.close(),
    () => log.close(),
    () => guard.close(),
  )
  const engine = createEmbeddedEngine({
    ...{ networkId: owner.networkId, log, blockStore, transport, logger, clock: systemClock },
    ...{ application: operator.application, stateFiles: `the ledger in ${folder}` },
    signer: createSigner(member.consensusSeed, consensusGuard(guard, log)),
    timing: { blockIntervalMs: 0 },
  })
  await engine.start()
  closing.push(() => engine.stop())
  return engine
}

/** Keeps work waiting, and takes the time from one decision to the next. */
function measure(engines: readonly EmbeddedEngine[]): Promise<number> {
  const times: number[] = []
  let place = 0
  const offer = () => {
    for (const end = place + perBlock; place < end; place++)
      void engines[place % engines.length]?.submit(payloadTransaction(place))
  }
  return new Promise((resolve) => {
    engines[0]?.onDecided(() => {
      times.push(performance.now())
      if (times.length > warmups + timed) resolve(medianGap(times.slice(warmups)))
      else offer()
    })
    offer()
  })
}

function medianGap(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? Number.NaN))
  return gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? Number.NaN
}
