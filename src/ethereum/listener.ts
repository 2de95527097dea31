import type { Clock, Hex, Logger } from '#primitives'
import type { L1Event, L1View } from '#records'
import { type L1Client, pauseBefore, rpcMessage } from './client.ts'
import { type L1Contracts, L1DataError, toL1Events, toSafe } from './events.ts'
import {
  contradicts,
  emptyHistory,
  endOf,
  extend,
  type HistoryPoint,
  type L1History,
  lastBlock,
  takeBack,
} from './history.ts'

/** What a listener needs. */
export type L1ListenerOptions = L1Contracts & {
  readonly client: L1Client
  /** First L1 block whose events count. */
  readonly startBlock: number
  /** Confirmations before a block counts, as governed now: 1 = the head itself. */
  readonly depth: () => number
  readonly clock: Clock
  readonly logger: Logger
  readonly pollMs: number
  /**
   * The L1 history that the network agreed on, when the caller knows it: a fork is then what
   * contradicts it. Else it is what contradicts the views given before.
   */
  readonly agreed?: () => HistoryPoint | undefined
}

/** Follows the relevant events of L1 up to the governed depth. */
export type L1Listener = {
  start(): void
  /** Ends the polling for good; what is under way still ends, unseen. */
  stop(): void
  /** What this operator says of L1 now. */
  view(): L1View
  /** Up to `count` events from the `from`-th on, counted from 0. */
  events(from: number, count: number): readonly L1Event[]
  /** Digest over the first `count` events; undefined when there are fewer. */
  digestAt(count: number): Hex | undefined
  /** Calls back whenever the view moved; the result ends that. */
  onAdvance(callback: (view: L1View) => void): () => void
}

/**
 * A listener that polls its node. An outage is waited out with growing pauses and logged once; a
 * reorganisation above the governed depth goes unnoticed; a deeper one is followed, and shows as
 * `fork` while it contradicts what was agreed or passed on.
 */
export function createL1Listener(options: L1ListenerOptions): L1Listener {
  const state: State = {
    options,
    history: emptyHistory(options.startBlock),
    passedOn: undefined,
    callbacks: new Set(),
    failures: 0,
    phase: 'new',
    cancel: () => {},
  }
  return {
    start: () => {
      if (state.phase !== 'new') return
      state.phase = 'running'
      void turn(state)
    },
    stop: () => {
      state.phase = 'stopped'
      state.cancel()
    },
    view: () => viewOf(state),
    events: (from, count) => state.history.events.slice(from, from + count),
    digestAt: (count) => state.history.digests[count],
    onAdvance: (callback) => {
      state.callbacks.add(callback)
      return () => state.callbacks.delete(callback)
    },
  }
}

type State = {
  readonly options: L1ListenerOptions
  readonly history: L1History
  /** The longest history that a view gave out. */
  passedOn: HistoryPoint | undefined
  readonly callbacks: Set<(view: L1View) => void>
  /** Polls that failed since the last good one. */
  failures: number
  phase: 'new' | 'running' | 'stopped'
  cancel: () => void
}

function viewOf(state: State): L1View {
  const end = endOf(state.history)
  const known = state.options.agreed?.() ?? state.passedOn
  const fork = known !== undefined && contradicts(state.history, known)
  if (!fork && end.events >= (state.passedOn?.events ?? 0)) state.passedOn = end
  return { ...end, fork }
}

/** One poll, and the timer of the next. */
async function turn(state: State): Promise<void> {
  const { clock, logger, pollMs } = state.options
  let moved = false
  try {
    moved = await poll(state)
    if (state.failures > 0) logger.info('L1 answers again', { failedPolls: state.failures })
    state.failures = 0
  } catch (error) {
    const message = error instanceof L1DataError ? error.message : rpcMessage(error)
    if (state.failures === 0) logger.warn('L1 does not answer as it should', { error: message })
    state.failures++
  }
  if (state.phase !== 'running') return
  if (moved) announce(state)
  const pauseMs = pauseBefore(pollMs, state.failures)
  state.cancel = clock.after(pauseMs, () => void turn(state))
}

/** Reads what is new. @returns whether the history changed. */
async function poll(state: State): Promise<boolean> {
  const { client, depth } = state.options
  const target = toSafe(await client.getBlockNumber()) - depth() + 1
  let moved = await followReorganisation(state, target)
  while (state.phase === 'running' && lastBlock(state.history) < target) {
    if (!(await readBlocks(state, target))) break
    moved = true
  }
  return moved
}

/**
 * Takes back every read block that the node's chain no longer has. A node whose chain is shorter
 * than what was read says nothing yet: it may lag, or have dropped blocks that will come back.
 */
async function followReorganisation(state: State, target: number): Promise<boolean> {
  const { history, options } = state
  const readUpTo = lastBlock(history)
  for (;;) {
    const mark = history.marks.at(-1)
    if (!mark || mark.block > target || (await blockHash(state, mark.block)) === mark.hash) break
    takeBack(history)
  }
  const keptUpTo = lastBlock(history)
  if (keptUpTo === readUpTo) return false
  options.logger.warn('L1 reorganised below the governed depth', { readUpTo, keptUpTo })
  return true
}

/** Reads the next blocks. @returns false when the chain changed meanwhile: to be polled again. */
async function readBlocks(state: State, target: number): Promise<boolean> {
  const { client, outbox, serviceManager } = state.options
  const from = lastBlock(state.history) + 1
  const to = Math.min(target, from + blocksPerRead - 1)
  const hash = await blockHash(state, to)
  const logs = await client.getLogs({
    address: [outbox, serviceManager],
    fromBlock: BigInt(from),
    toBlock: BigInt(to),
  })
  const events = toL1Events({ outbox, serviceManager }, logs)
  if ((await blockHash(state, to)) !== hash) return false
  extend(state.history, to, hash, events)
  return true
}

async function blockHash(state: State, block: number): Promise<Hex> {
  const { hash } = await state.options.client.getBlock({ blockNumber: BigInt(block) })
  return hash
}

function announce(state: State): void {
  const view = viewOf(state)
  for (const callback of state.callbacks) callback(view)
}

/** Blocks in one request for logs: providers refuse much more. */
const blocksPerRead = 500
