import { DomainError, type Hex, unreachable } from '#primitives'
import type { Verdict } from '#records'
import { createCore } from '../core/index.ts'
import { submissionVerdict } from '../engine/index.ts'
import { maxBlockBytes } from './block.ts'
import { feed } from './consensus.ts'
import { transactionName } from './deciding.ts'
import { createMailbox, type Mailbox } from './mailbox.ts'
import { decodeMessage } from './messages.ts'
import { pace, plan } from './pacing.ts'
import { watchParts } from './part-exchange.ts'
import { receive, sayStatus } from './peers.ts'
import { recoverTip, replayLog, resume } from './recovery.ts'
import {
  type Decision,
  defaultTiming,
  type EngineEvent,
  type EngineOptions,
  isLive,
  type Phase,
  type Runtime,
  refuse,
  schedule,
  sendToAll,
  workingHeight,
} from './runtime.ts'
import { createVerifier } from './signer.ts'

/** One validator's consensus: agrees with its peers on blocks and drives the application. */
export type EmbeddedEngine = {
  /** Recovers from block store and log, then joins the transport. Once. */
  start(): Promise<void>
  /** Stops voting and waits for the call under way; log and store can be closed then. */
  stop(): Promise<void>
  /**
   * Offers a transaction to the local application; an admitted one goes to the peers, and a block
   * is due. Refusals are the application's, or `EngineStopped`, `TransactionTooLarge`,
   * `ApplicationFailed`.
   */
  submit(transaction: Uint8Array): Promise<Verdict>
  status(): EngineStatus
  /** Calls back after each commit; the result ends it. */
  onDecided(listener: (decision: Decision) => void): () => void
}

/** Where an engine is. */
export type EngineStatus = {
  readonly phase: Phase
  /** Last committed block. */
  readonly height: number
  readonly timeMs: number
  readonly hash: Hex
  readonly appHash: Hex
  /** Of the height under way; round -1 and `idle` between two heights. */
  readonly round: number
  readonly step: string
  /** Blocks committed since the start; how many needed more than round 0, or were fetched. */
  readonly decided: number
  readonly decidedAboveRound0: number
  readonly fetched: number
  /** Messages refused since the start, by reason. */
  readonly refused: Readonly<Record<string, number>>
}

/** Most messages of peers that wait; what is dropped beyond comes again by relay. */
const maxWaiting = 16_384

/** Most gossiped transactions that the application checks at a time. */
const maxChecking = 4096

/** Most admitted transactions that are watched for their block. */
const maxAdmitted = 65_536

/** Makes an engine; nothing runs before `start`. */
export function createEmbeddedEngine(options: EngineOptions): EmbeddedEngine {
  const mailbox: Mailbox<EngineEvent> = createMailbox(
    maxWaiting,
    (event) => handle(runtime, event),
    (error) => fail(runtime, error),
  )
  const runtime = createRuntime(options, mailbox.post)
  return {
    start: () => start(runtime, mailbox),
    async stop() {
      leave(runtime, runtime.phase === 'failed' ? 'failed' : 'stopped')
      await mailbox.close()
    },
    submit: (transaction) => submit(runtime, transaction),
    status: () => statusOf(runtime),
    onDecided(listener) {
      runtime.listeners.add(listener)
      return () => void runtime.listeners.delete(listener)
    },
  }
}

function createRuntime(options: EngineOptions, post: (event: EngineEvent) => void): Runtime {
  const self = options.signer.publicKey
  const empty = { members: [], totalPower: 0n, proposer: self, positions: new Map<Hex, number>() }
  const nothing = { current: empty, next: empty }
  return {
    options,
    timing: { ...defaultTiming, ...options.timing },
    self,
    verify: createVerifier(),
    post,
    listeners: new Set(),
    phase: 'stopped',
    hasEnded: false,
    isHeld: options.hold?.isHeld() ?? false,
    link: undefined,
    tip: {
      height: 0,
      hash: options.networkId,
      timeMs: 0,
      appHash: options.networkId,
      commit: undefined,
      validators: undefined,
      schedule: nothing,
    },
    core: createCore(self, 0, nothing),
    blocks: new Map(),
    assemblies: new Map(),
    servedMs: new Map(),
    evidence: { pending: new Map(), included: new Map() },
    admitted: new Map(),
    woken: false,
    pruned: new Map(),
    fetchAgainMs: 0,
    enteredMs: 0,
    movedMs: 0,
    timers: new Set(),
    pace: undefined,
    isPaceAsked: false,
    counters: { decided: 0, decidedAboveRound0: 0, fetched: 0, refused: new Map() },
  }
}

async function start(runtime: Runtime, mailbox: Mailbox<EngineEvent>): Promise<void> {
  const { options, self } = runtime
  runtime.tip = await recoverTip(options)
  const open = runtime.isHeld ? [] : await replayLog(runtime)
  if (runtime.hasEnded) return leave(runtime, 'stopped')
  if (runtime.phase === 'stopped') runtime.phase = 'waiting'
  let checking = 0
  runtime.link = options.transport.join(self, (from, bytes) => {
    const message = tryDecode(runtime, from, bytes)
    if (!message) return
    if (message.kind !== 'transaction') {
      if (!mailbox.offer({ type: 'message', from, message })) refuse(runtime, 'InboxFull', from)
    } else if (checking >= maxChecking) refuse(runtime, 'InboxFull', from)
    else {
      checking++
      void admit(runtime, message.bytes).finally(() => checking--)
    }
  })
  mailbox.post({ type: 'resume', open })
}

async function handle(runtime: Runtime, event: EngineEvent): Promise<void> {
  if (!isLive(runtime)) return
  switch (event.type) {
    case 'resume':
      await resume(runtime, event.open)
      sayStatus(runtime)
      watch(runtime)
      break
    case 'message':
      await receive(runtime, event.from, event.message)
      break
    case 'timeout':
      await feed(runtime, { type: 'timeout', timeout: event.timeout })
      break
    case 'pace':
      runtime.pace?.()
      runtime.pace = undefined
      runtime.isPaceAsked = false
      await pace(runtime)
      break
    case 'gossip':
      if (runtime.isHeld && !runtime.options.hold?.isHeld()) await takePart(runtime)
      if (runtime.isHeld || isStalled(runtime)) sayStatus(runtime)
      watchParts(runtime)
      watch(runtime)
      break
    default:
      unreachable(event)
  }
  if (runtime.phase === 'waiting' && !runtime.isHeld && !runtime.pace) plan(runtime)
}

/** What was held back begins where the log ended, as a start does. */
async function takePart(runtime: Runtime): Promise<void> {
  runtime.isHeld = false
  await resume(runtime, await replayLog(runtime))
}

const watch = (runtime: Runtime): void =>
  void schedule(runtime, runtime.timing.gossipMs, { type: 'gossip' })

const isStalled = ({ phase, movedMs, timing, options }: Runtime): boolean =>
  phase === 'running' && options.clock.nowMs() - movedMs >= timing.gossipMs

async function submit(runtime: Runtime, transaction: Uint8Array): Promise<Verdict> {
  if (!isLive(runtime)) return { ok: false, reason: 'EngineStopped' }
  if (transaction.length > maxBlockBytes) return { ok: false, reason: 'TransactionTooLarge' }
  const { application } = runtime.options
  const verdict = submissionVerdict(application, transaction, await admit(runtime, transaction))
  if (verdict.ok) sendToAll(runtime, { kind: 'transaction', bytes: transaction })
  return verdict
}

/** Asks the application; an admitted transaction makes a block due. */
async function admit(runtime: Runtime, transaction: Uint8Array): Promise<Verdict> {
  const verdict = await checked(runtime, transaction)
  if (!verdict.ok) return verdict
  if (runtime.admitted.size < maxAdmitted)
    runtime.admitted.set(transactionName(transaction), runtime.tip.height)
  if (runtime.phase === 'waiting') askForPace(runtime)
  return verdict
}

function askForPace(runtime: Runtime): void {
  if (runtime.isPaceAsked) return
  runtime.isPaceAsked = true
  runtime.post({ type: 'pace' })
}

async function checked(runtime: Runtime, transaction: Uint8Array): Promise<Verdict> {
  try {
    return await runtime.options.application.checkTransaction(transaction)
  } catch (error) {
    // Whatever a stranger sends, it must not stop the validator.
    runtime.options.logger.error('application failed to check a transaction', { error })
    return { ok: false, reason: 'ApplicationFailed' }
  }
}

function tryDecode(runtime: Runtime, from: Hex, bytes: Uint8Array) {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    refuse(runtime, error.code, from)
    return undefined
  }
}

function fail(runtime: Runtime, error: unknown): void {
  if (runtime.phase === 'failed') return
  leave(runtime, 'failed')
  const { logger, onFailure } = runtime.options
  if (onFailure) onFailure(error)
  else logger.error('consensus stopped by an error', { error, height: workingHeight(runtime) })
}

function leave(runtime: Runtime, phase: 'stopped' | 'failed'): void {
  runtime.hasEnded = true
  runtime.phase = phase
  runtime.link?.leave()
  for (const cancel of runtime.timers) cancel()
  runtime.timers.clear()
}

function statusOf({ phase, tip, core, counters }: Runtime): EngineStatus {
  const { machine } = core
  const isRunning = phase === 'running'
  return {
    phase,
    height: tip.height,
    timeMs: tip.timeMs,
    hash: tip.hash,
    appHash: tip.appHash,
    round: isRunning ? machine.round : -1,
    step: isRunning ? machine.step : 'idle',
    decided: counters.decided,
    decidedAboveRound0: counters.decidedAboveRound0,
    fetched: counters.fetched,
    refused: Object.fromEntries(counters.refused),
  }
}
