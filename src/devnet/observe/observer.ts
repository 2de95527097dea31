import { GatewaysUnreachableError } from '#api'
import { createL1Client } from '#ethereum'
import { type Clock, DomainError, type Hex, type Logger } from '#primitives'
import { createPoster } from '../load/connection.ts'
import type { LoadRecords } from '../load/records.ts'
import { createRpc, type Rpc } from '../load/rpc.ts'
import { ask } from './ask.ts'
import { Checkpoints } from './checkpoints.ts'
import { findEndings } from './endings.ts'
import type { AllocationFacts, RunFacts } from './facts.ts'
import { gatherFacts } from './gather.ts'
import { L1Outbox } from './l1-outbox.ts'
import { L2Blocks } from './l2-blocks.ts'
import { type Loop, startLoop } from './loop.ts'
import { NetworkWatch } from './network.ts'
import type { Outage } from './outages.ts'
import { Proofs } from './proofs.ts'
import { Tasks } from './tasks.ts'
import { addSubjects, openIn, unplaced, type Watch } from './watch.ts'

/** Where to look, and what for. */
export type ObserverOptions = {
  readonly gateways: readonly string[]
  readonly l1Url: string
  readonly outbox: Hex
  /** What the load has sent, as it grows. */
  readonly records: LoadRecords
  /** When L1 was cut off, as it grows; absent: never. */
  readonly outages?: readonly Outage[]
  readonly clock: Clock
  readonly logger: Logger
}

/** Follows what becomes of a load, through public endpoints alone. */
export type Observer = {
  /** Begins to watch; before the load starts. */
  start(): Promise<void>
  /** Who had which part of the work, epoch by epoch, as far as it was seen by now. */
  allocations(): readonly AllocationFacts[]
  /**
   * To be called when nothing is sent any more: waits until all that was accepted is on L1 and all
   * tasks have ended, or nothing more of it has come for `limitMs`, and tells what was seen. Ends
   * the watching.
   */
  finish(limitMs?: number): Promise<RunFacts>
  /** Ends the watching; does nothing after `finish`. */
  stop(): Promise<void>
}

/** How often each thing is looked at. */
const intervalsMs = {
  blocks: 50,
  checkpoints: 100,
  tasks: 200,
  l1: 200,
  proofs: 250,
  network: 2_000,
  endings: 2_000,
  settled: 100,
}

/** What is not on L1 when nothing has come for so long, without a reason, is lost. */
const defaultLimitMs = 120_000

/** As long as a gateway takes for a method at most. */
const timeoutMs = 10_000
const connections = 8

/** An observer of one run. */
export function createObserver(options: ObserverOptions): Observer {
  const { gateways, clock, logger } = options
  const poster = createPoster({ timeoutMs, connections })
  const rpcOf = (urls: readonly string[]): Rpc =>
    createRpc({ gateways: urls, poster, first: 0, nowMs: clock.nowMs })
  const rpc = rpcOf(gateways)
  const watch = createWatch(options, rpc)
  const each = gateways.map((gateway) => rpcOf([gateway]))
  let loops: readonly Loop[] = []
  let startMs = 0
  let isStopped = false
  const stopLoops = () => {
    isStopped = true
    return Promise.all(loops.map((loop) => loop.stop()))
  }
  return {
    async start() {
      const { blocks, l1, network, checkpoints } = watch
      const readL1 = orUnreachable(options, l1.poll())
      await Promise.all([blocks.poll(), readL1, network.begin(), checkpoints.begin()])
      startMs = clock.nowMs()
      if (isStopped) return
      loops = startLoops(watch, clock, logger)
    },
    allocations: () => watch.network.allocations(),
    async finish(limitMs = defaultLimitMs) {
      const finishMs = clock.nowMs()
      const asking = startLoop(clock, intervalsMs.endings, () => askEndings(watch, each), logger)
      loops = [...loops, asking]
      await waitWhileComing(clock, limitMs, () => openIn(watch))
      await stopLoops()
      await Promise.all([watch.network.poll(), orUnreachable(options, watch.l1.poll())])
      const status = await ask(rpc, 'nodeop_status', [])
      if (!status) throw unreachable(gateways)
      const { span } = options.records
      const sending = { startMs: span.startMs || startMs, stopMs: span.stopMs || finishMs }
      const gathering = gatherFacts(watch, status, sending, options.outages ?? [])
      return orUnreachable(options, gathering).finally(() => poster.close())
    },
    async stop() {
      await stopLoops()
      poster.close()
    },
  }
}

/** What nobody answered for cannot be summed up. */
const unreachable = (gateways: readonly string[]): GatewaysUnreachableError =>
  new GatewaysUnreachableError(`no gateway answers (${gateways.join(', ')})`, {
    failures: gateways,
  })

function createWatch(options: ObserverOptions, rpc: Rpc): Watch {
  const { records, clock, logger } = options
  const { nowMs } = clock
  const l1 = new L1Outbox(createL1Client(options.l1Url), options.outbox, nowMs)
  return {
    records,
    blocks: new L2Blocks(rpc, nowMs),
    checkpoints: new Checkpoints(rpc, nowMs),
    l1,
    proofs: new Proofs({ rpc, l1, nowMs, logger }),
    tasks: new Tasks(rpc, records, nowMs),
    network: new NetworkWatch(rpc),
    endings: new Map(),
  }
}

function startLoops(watch: Watch, clock: Clock, logger: Logger): readonly Loop[] {
  const { blocks, checkpoints, tasks, l1, network, proofs } = watch
  const loop = (everyMs: number, turn: () => Promise<void>): Loop =>
    startLoop(clock, everyMs, turn, logger)
  return [
    loop(intervalsMs.blocks, () => blocks.poll()),
    loop(intervalsMs.checkpoints, () => checkpoints.poll()),
    loop(intervalsMs.tasks, () => tasks.poll()),
    loop(intervalsMs.l1, () => l1.poll()),
    loop(intervalsMs.network, () => network.poll()),
    loop(intervalsMs.proofs, () => {
      addSubjects(watch)
      return proofs.poll()
    }),
  ]
}

/** Most subjects that are asked about at a time, of every gateway. */
const maxAsked = 200

async function askEndings(watch: Watch, gateways: readonly Rpc[]): Promise<void> {
  const subjects = unplaced(watch).slice(0, maxAsked)
  for (const [subject, reason] of await findEndings(gateways, subjects))
    watch.endings.set(subject, reason)
}

/** Resolves when nothing is open, or as much as before for so long. */
function waitWhileComing(clock: Clock, limitMs: number, open: () => number): Promise<void> {
  return new Promise((resolve) => {
    let before = open()
    let sinceMs = clock.nowMs()
    const look = (): void => {
      const now = open()
      if (now !== before) sinceMs = clock.nowMs()
      before = now
      if (now === 0 || clock.nowMs() >= sinceMs + limitMs) resolve()
      else clock.after(intervalsMs.settled, look)
    }
    look()
  })
}

async function orUnreachable<T>({ l1Url }: ObserverOptions, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (cause) {
    const message = `L1 at ${l1Url} does not answer: what happened there is not known`
    throw new L1UnreadableError(message, { l1Url }, cause)
  }
}

/** L1 did not tell what it has recorded, so that nothing can be said of a run. */
export class L1UnreadableError extends DomainError<'L1Unreadable', { readonly l1Url: string }> {
  override readonly code = 'L1Unreadable'
}
