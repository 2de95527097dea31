import type { ConsensusEngine } from '#consensus'
import { assert, type Disk, DomainError, type Hex, type Logger, vrfProve } from '#primitives'
import {
  type Computation,
  type Environment,
  isL1Frozen,
  type Ledger,
  l1EventsToBring,
  operatorsOf,
} from '#protocol'
import { encodeTransaction, maxL1Events, networkId, type OperatorId } from '#records'
import type { RecoverLater } from '#services/sequencer'
import { Acceptance } from './acceptance.ts'
import { type Compute, LedgerApplication } from './application.ts'
import { type Cleanup, createCleanup } from './cleanup.ts'
import { createDisk } from './disk.ts'
import { createEnvironment } from './environment.ts'
import { type Guard, openGuard } from './guard/guard.ts'
import { lockFolder } from './guard/lock.ts'
import type { History } from './history.ts'
import { openJournal } from './journal.ts'
import { identityOf } from './keys.ts'
import { L1Worker } from './l1-duties.ts'
import { type LedgerKeeper, openLedgerKeeper } from './ledger-keeper.ts'
import { Mempool } from './mempool.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { recoverLaterIn } from './native-recover.ts'
import { openGateway } from './operator-gateway.ts'
import {
  defaultKeptBlocks,
  type OperatorOptions,
  type OperatorParts,
  type RunningOperator,
} from './operator-parts.ts'
import { createPassedCalls } from './passed-calls.ts'
import { recordCommit } from './record-metrics.ts'
import { loadSecp256k1 } from './recover.ts'
import { RecoverThread } from './recover-thread.ts'
import { createRestoredHold, type RestoredHold } from './restored.ts'
import {
  holdsHead,
  hostSequencer,
  l2BlockOf,
  openL2,
  type SequencerHost,
  sequencerName,
} from './sequencer-host.ts'
import { version } from './version.ts'
import { createConsensus, holdGuardOf, ownerOf } from './wire-consensus.ts'
import { createReporter } from './wire-duties.ts'
import { createL1Parts } from './wire-l1.ts'

/**
 * Starts one operator: the only place where its parts meet. What a failed start has opened is
 * closed.
 */
export async function startOperator(options: OperatorOptions): Promise<RunningOperator> {
  const cleanup = createCleanup(options.logger)
  try {
    const parts = await createParts(options, cleanup)
    const gateway = await openGateway(options, parts)
    cleanup.add(() => gateway.close())
    cleanup.add(() => void leave(parts, 'stopping'))
    connect(parts)
    parts.listener.start()
    await startEngine(parts)
    parts.hold.start(
      () => goLive(parts),
      (error) => failWith(parts, error),
    )
    const { application, engine } = parts
    return { id: options.id, url: gateway.url, application, engine, stop: cleanup.run }
  } catch (error) {
    await cleanup.run().catch(() => {}) // logged there; why the start failed matters more
    throw error
  }
}

/** An engine that waits for its network is stopped when the start is called off. */
async function startEngine({ engine, options }: OperatorParts): Promise<void> {
  const { signal } = options
  const stop = () => stopEngine(engine, options.logger)
  signal?.throwIfAborted()
  signal?.addEventListener('abort', stop)
  try {
    await engine.start()
  } finally {
    signal?.removeEventListener('abort', stop)
  }
  signal?.throwIfAborted()
}

async function createParts(options: OperatorOptions, cleanup: Cleanup): Promise<OperatorParts> {
  const { genesis, secrets, clock, logger, id, keptBlocks = defaultKeptBlocks } = options
  const disk = options.disk ?? createDisk(options.folder)
  await disk.makeFolder('')
  const lock = lockFolder(options.folder)
  cleanup.add(() => lock.release())
  const { engine: kind } = options.consensus
  const metrics = createMetrics({ version, engine: kind, operator: options.name })
  const guard = await openSignGuard(options, disk, metrics)
  cleanup.add(() => guard.close())
  const journal = await openJournal({ disk, owner: ownerOf(options), logger })
  cleanup.add(() => journal.close())
  const passed = createPassedCalls()
  const environment = createEnvironment(genesis, passed)
  const l2 = options.l2 ?? (await openL2({ genesis, folder: options.folder, disk, keptBlocks }))
  const sequencer = hostSequencer(genesis, l2, passed, recoverBeside(logger, cleanup))
  cleanup.add(() => sequencer?.close())
  const keeper = await openKeeper(options, disk, environment, sequencer)
  cleanup.add(() => keeper.close())
  const { outbox, history } = keeper
  const mempool = createMempool(options, environment, sequencer, history)
  const application = new LedgerApplication({
    ...{ genesis, environment, mempool, logger },
    compute: computeWith(sequencer),
    prove: (alpha) => vrfProve(secrets.vrfSecret, alpha),
    nowMs: () => clock.nowMs(),
    stored: keeper.stored,
    keep: (committed) => keeper.keep(committed, l2BlockOf(committed)),
  })
  const fail = (error: unknown) => failWith(parts, error)
  const hold = createHold(options, application, guard)
  cleanup.add(() => hold.stop())
  const around = { options, application, keeper, sequencer, cleanup, disk, guard, hold }
  const engine = await createConsensus(around, fail)
  const { listener, account, actions } = createL1Parts(options, application, guard, metrics)
  cleanup.add(() => {
    listener.stop()
    account.stop()
  })
  cleanup.add(() => engine.stop())
  const worker = new L1Worker({
    operator: id,
    ledger: () => application.ledger,
    actions,
    switches: options.switches ?? { submits: () => true },
    prove: (leafIndex, size) => outbox.prove(leafIndex, size),
    clock,
    logger,
  })
  const { reporter, runner, allocator } = createReporter(options, engine, listener, guard, {
    onReady: () => answerDuties(parts),
    onFailure: fail,
    onSuperseded: (by) => supersede(parts, by),
  })
  const ledger = () => application.ledger
  const waiting = { journal, engine, ledger, mempool, outbox, history, sequencer }
  const acceptance = new Acceptance(waiting)
  const parts: OperatorParts = {
    phase: guard.isHeld() ? 'held' : 'starting',
    failure: '',
    liveSinceMs: 0,
    ...{ options, application, mempool, acceptance, engine, sequencer, listener, account },
    ...{ worker, reporter, runner, allocator, history, outbox, metrics, hold },
  }
  return parts
}

/** Recovers senders beside what else this thread does. */
function recoverBeside(logger: Logger, cleanup: Cleanup): RecoverLater {
  const thread = new RecoverThread({ recover: loadSecp256k1().recover, logger })
  cleanup.add(() => thread.stop())
  return recoverLaterIn(thread)
}

/** The record of all that this operator has signed, counted by purpose. */
const openSignGuard = (
  { genesis, secrets, rng, init = false, logger }: OperatorOptions,
  disk: Disk,
  metrics: Metrics,
): Promise<Guard> =>
  openGuard({
    ...{ disk, networkId: networkId(genesis), operator: identityOf(secrets).consensusKey },
    ...{ rng, init, logger },
    onJudged: (purpose, isPermitted) =>
      (isPermitted ? metrics.signingPermitted : metrics.signingPrevented).inc({ key: purpose }),
  })

const createHold = (
  options: OperatorOptions,
  application: LedgerApplication,
  guard: Guard,
): RestoredHold =>
  createRestoredHold({
    ...{ guard: holdGuardOf(options, guard), self: identityOf(options.secrets).consensusKey },
    ...{ clock: options.clock, logger: options.logger },
    powers: () =>
      new Map(operatorsOf(application.ledger).map((one) => [one.consensusKey, one.power])),
    height: () => application.height,
  })

const openKeeper = (
  {
    genesis,
    folder,
    id: operator,
    logger,
    keptBlocks: keptLeaves = defaultKeptBlocks,
  }: OperatorOptions,
  disk: Disk,
  environment: Environment,
  sequencer: SequencerHost | undefined,
): Promise<LedgerKeeper> =>
  openLedgerKeeper({
    ...{ folder, disk, genesis, environment, operator, logger, keptLeaves },
    hasServices: async ({ ledger }) => !sequencer || holdsHead(sequencer, ledger),
  })

const createMempool = (
  { clock }: OperatorOptions,
  environment: Environment,
  sequencer: SequencerHost | undefined,
  history: History,
): Mempool =>
  new Mempool({
    environment,
    pools: new Map(sequencer ? [[sequencerName, sequencer.callPool]] : []),
    nowMs: () => clock.nowMs(),
    onDropped: (hash, reason) => history.dropped(hash, reason),
  })

/** Calls of replicated services go to their engines. */
const computeWith =
  (sequencer: SequencerHost | undefined): Compute =>
  ({ service, input }: Computation) => {
    assert(sequencer && service === sequencerName, `an engine for ${service}`)
    return sequencer.compute(input)
  }

/** What follows a commit: counting first, then the duties that the new ledger brings. */
function connect(parts: OperatorParts): void {
  const { application, acceptance, engine } = parts
  const { history, worker, listener, metrics, options } = parts
  application.onCommitted((committed) => {
    // Blocks that are replayed at the start were counted when they were new.
    if (parts.phase === 'live') recordCommit(metrics, options.id, committed, history)
  })
  application.onCommitted(({ before, after }) => tellOfL1(parts, before, after))
  application.onCommitted(() => {
    answerDuties(parts)
    worker.look()
    acceptance.tidy().catch(options.onFailure)
  })
  const decidedIn = (height: number, round: number | undefined) => {
    if (round === undefined || height === 0) return
    history.decided(height, round)
    metrics.consensusRound.set(round)
    if (round > 0) metrics.consensusLateBlocks.inc()
  }
  engine.onDecided(({ block, round, previousRound }) => {
    decidedIn(block.height - 1, previousRound)
    decidedIn(block.height, round)
  })
  listener.onAdvance(() => answerDuties(parts))
}

/** Says once when what L1 drives comes to rest, and once when it goes on. */
function tellOfL1({ metrics, options }: OperatorParts, before: Ledger, after: Ledger): void {
  const isFrozen = isL1Frozen(after)
  metrics.l1Frozen.set(isFrozen ? 1 : 0)
  if (isFrozen === isL1Frozen(before)) return
  const fields = { block: after.chain.l1.block, events: after.chain.l1.events }
  if (isFrozen)
    options.logger.error(
      'over 1/3 of the power sees an L1 that contradicts the agreed one: what L1 drives rests',
      { code: 'L1Frozen', ...fields },
    )
  else options.logger.warn('operators agree about L1 again: what L1 drives goes on', fields)
}

/** From here on it acts: what was replayed before asks for nothing that is still owed. */
function goLive(parts: OperatorParts): void {
  if (parts.phase !== 'starting' && parts.phase !== 'held') return
  parts.phase = 'live'
  parts.liveSinceMs = parts.options.clock.nowMs()
  parts.worker.start()
  answerDuties(parts)
  parts.acceptance.takeUp().catch(parts.options.onFailure)
}

/** Speaks for what the ledger asks, and brings the L1 events that are vouched for. Never throws. */
function answerDuties(parts: OperatorParts): void {
  if (parts.phase !== 'live') return
  const { application, reporter, engine, listener, options } = parts
  const { ledger, height } = application
  const answer = async () => {
    await reporter.speak(ledger, height)
    const known = listener.events(ledger.chain.l1.events, maxL1Events)
    const events = l1EventsToBring(ledger, known)
    if (events.length > 0 && parts.phase === 'live')
      await engine.submit(encodeTransaction({ kind: 'l1-events', events }))
  }
  answer().catch((error: unknown) => {
    // Once it has failed, what is under way ends as it may: why is known.
    if (parts.phase === 'live') options.logger.error('duties not answered', { error })
  })
}

/** Two copies of one operator must not both speak: the older one ends. */
function supersede(parts: OperatorParts, by: Hex): void {
  if (!leave(parts, 'superseded')) return
  const { logger, name, id, onFailure } = parts.options
  const message = `another copy of ${name} speaks for it since; this one has stopped`
  logger.error(message, { code: 'Superseded', operator: id, by })
  stopEngine(parts.engine, logger) // it votes with the same key too
  onFailure(new SupersededError(message, { operator: id, by }))
}

/** Begins to end an engine for which nobody waits here. */
function stopEngine(engine: ConsensusEngine, logger: Logger): void {
  engine.stop().catch((error: unknown) => logger.error('consensus did not end well', { error }))
}

/** Ends an operator that cannot go on; what fails after that follows from it. */
function failWith(parts: OperatorParts, error: unknown): void {
  if (!leave(parts, 'failed')) return
  parts.failure = error instanceof DomainError ? error.code : 'Defect'
  stopEngine(parts.engine, parts.options.logger)
  parts.options.onFailure(error)
}

/**
 * Ends what an operator does of its own accord; its gateway goes on, and says why it does not
 * serve.
 */
function leave(parts: OperatorParts, phase: 'stopping' | 'failed' | 'superseded'): boolean {
  if (!['starting', 'held', 'live'].includes(parts.phase)) return false
  parts.hold.stop()
  parts.phase = phase
  parts.worker.stop()
  parts.runner.stop()
  parts.allocator.stop()
  return true
}

/** A newer start of the same operator was heard: this one has fallen silent. */
export class SupersededError extends DomainError<
  'Superseded',
  { readonly operator: OperatorId; readonly by: Hex }
> {
  override readonly code = 'Superseded'
}
