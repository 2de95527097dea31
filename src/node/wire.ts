import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  createEmbeddedEngine,
  createSigner,
  type EmbeddedEngine,
  openFileBlockStore,
  openFileLog,
} from '#consensus'
import { assert, vrfProve } from '#primitives'
import { type Computation, vouchedEvents } from '#protocol'
import { encodeTransaction, maxL1Events, networkId } from '#records'
import { type CommittedBlock, type Compute, LedgerApplication } from './application.ts'
import { createEnvironment } from './environment.ts'
import type { Gateway } from './gateway/gateway.ts'
import { History } from './history.ts'
import { L1Worker } from './l1-duties.ts'
import { Mempool } from './mempool.ts'
import { createMetrics } from './metrics.ts'
import { openGateway, version } from './operator-gateway.ts'
import type { OperatorOptions, OperatorParts, RunningOperator } from './operator-parts.ts'
import { OutboxIndex } from './outbox-index.ts'
import { recordCommit } from './record-metrics.ts'
import {
  hostSequencer,
  l2BlockOf,
  openL2,
  type SequencerHost,
  sequencerName,
} from './sequencer-host.ts'
import { createReporter } from './wire-duties.ts'
import { createL1Parts } from './wire-l1.ts'

/** Starts one operator: the only place where its parts meet. */
export async function startOperator(options: OperatorOptions): Promise<RunningOperator> {
  const parts = await createParts(options)
  let gateway: Gateway | undefined
  try {
    gateway = await openGateway(options, parts)
    const { url } = gateway
    await begin(parts)
    const { application, engine } = parts
    return { id: options.id, url, application, engine, stop: () => stopParts(parts, gateway) }
  } catch (error) {
    await stopParts(parts, gateway)
    throw error
  }
}

async function begin(parts: OperatorParts): Promise<void> {
  connect(parts)
  parts.listener.start()
  await parts.engine.start()
  // Only from here on: what was replayed before asks for nothing that is still owed.
  parts.isLive = true
  parts.worker.start()
  answerDuties(parts)
}

async function createParts(options: OperatorOptions): Promise<OperatorParts> {
  const { genesis, secrets, clock, logger, id } = options
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const history = new History()
  const outbox = new OutboxIndex()
  const metrics = createMetrics({ version, engine: 'embedded', operator: options.name })
  const l2 = options.l2 ?? (await openL2(genesis, options.folder))
  const sequencer = hostSequencer(genesis, l2)
  const environment = createEnvironment(genesis)
  const mempool = new Mempool({
    environment,
    pools: new Map(sequencer ? [[sequencerName, sequencer.callPool]] : []),
    nowMs: () => clock.nowMs(),
    onDropped: (hash, reason) => history.dropped(hash, reason),
  })
  const application = new LedgerApplication({
    genesis,
    environment,
    compute: computeWith(sequencer),
    mempool,
    prove: (alpha) => vrfProve(secrets.vrfSecret, alpha),
    logger,
  })
  const consensus = await createConsensus(options, application)
  const l1 = createL1Parts(options, application, id, metrics)
  const worker = new L1Worker({
    operator: id,
    ledger: () => application.ledger,
    actions: l1.actions,
    switches: options.switches ?? { submits: () => true },
    prove: (leafIndex, size) => outbox.prove(leafIndex, size),
    clock,
    logger,
  })
  const reporter = createReporter(options, application, consensus.engine, l1.listener)
  const { listener, account } = l1
  return {
    operator: id,
    isLive: false,
    ...{ application, mempool, ...consensus, sequencer, listener, account },
    ...{ worker, reporter, history, outbox, metrics },
  }
}

/** Calls of replicated services go to their engines. */
const computeWith =
  (sequencer: SequencerHost | undefined): Compute =>
  ({ service, input }: Computation) => {
    assert(sequencer && service === sequencerName, `an engine for ${service}`)
    return sequencer.compute(input)
  }

async function createConsensus(
  options: OperatorOptions,
  application: LedgerApplication,
): Promise<{ readonly engine: EmbeddedEngine; readonly closeStores: () => Promise<void> }> {
  const { genesis, secrets, folder, logger, transport, clock, onFailure } = options
  const network = networkId(genesis)
  const signer = createSigner(secrets.consensusSeed)
  const owner = { networkId: network, validator: signer.publicKey }
  const log = await openFileLog(join(folder, 'consensus.log'), owner, logger)
  const blockStore = await openFileBlockStore(join(folder, 'blocks.log'), network, logger)
  const engine = await createEmbeddedEngine({
    networkId: network,
    ...{ application, signer, log, blockStore, transport, clock, logger, onFailure },
  })
  const closeStores = async () => {
    await log.close()
    await blockStore.close()
  }
  return { engine, closeStores }
}

/** What follows a commit: indexes first, then the duties that the new ledger brings. */
function connect(parts: OperatorParts): void {
  const { application, engine, outbox, history, worker, listener, metrics } = parts
  application.onCommitted((committed) => {
    outbox.committed(committed.after, committed.transactions)
    history.committed(committed, l2Of(committed))
    recordCommit(metrics, parts.operator, committed)
  })
  application.onCommitted(() => {
    answerDuties(parts)
    worker.look()
  })
  engine.onDecided(({ block, round }) => {
    history.decided(block.height, round)
    metrics.consensusRound.set(round)
    if (round > 0) metrics.consensusLateBlocks.inc()
  })
  listener.onAdvance(() => answerDuties(parts))
}

/** Speaks for what the ledger asks, and brings the L1 events that are vouched for. */
function answerDuties(parts: OperatorParts): void {
  const { application, reporter, engine, listener } = parts
  if (!parts.isLive) return
  const { ledger, height } = application
  void reporter.speak(ledger, height)
  const events = listener.events(ledger.chain.l1.events, maxL1Events)
  const vouched = ledger.chain.frozen ? 0 : vouchedEvents(ledger, events)
  if (vouched === 0) return
  void engine.submit(encodeTransaction({ kind: 'l1-events', events: events.slice(0, vouched) }))
}

function l2Of({ before, after, transactions, results }: CommittedBlock) {
  const executed = transactions.filter(
    (one, place) => one?.kind === 'call' && results[place]?.ok === true,
  )
  return l2BlockOf(before, after, executed.length)
}

async function stopParts(parts: OperatorParts, gateway: Gateway | undefined): Promise<void> {
  parts.isLive = false
  await gateway?.close()
  parts.worker.stop()
  parts.listener.stop()
  await parts.engine.stop()
  parts.account.stop()
  await parts.closeStores()
  await parts.sequencer?.close()
}
