import { feed } from './consensus.ts'
import { type Runtime, schedule, sendTo, type Timing, workingHeight } from './runtime.ts'

/**
 * Enters the next height if it is due. Due is: a block interval after the last start when there is
 * work, a heartbeat after it when there is none.
 */
export async function pace(runtime: Runtime): Promise<void> {
  if (runtime.phase !== 'waiting' || runtime.isHeld) return
  if (dueMs(runtime) <= runtime.options.clock.nowMs()) await enter(runtime)
  else plan(runtime)
}

/** Sets the timer for when the next height will be due. */
export function plan(runtime: Runtime): void {
  runtime.pace?.()
  const waitMs = dueMs(runtime) - runtime.options.clock.nowMs()
  runtime.pace = schedule(runtime, Math.max(0, waitMs), { type: 'pace' })
}

/** Enters the next height, and tells its proposer, who may not know yet that there is work. */
export async function enter(runtime: Runtime): Promise<void> {
  const { tip, self } = runtime
  runtime.pace?.()
  runtime.pace = undefined
  runtime.phase = 'running'
  runtime.enteredMs = runtime.options.clock.nowMs()
  const height = workingHeight(runtime)
  const { proposer } = tip.schedule.current
  if (proposer !== self) sendTo(runtime, proposer, { kind: 'wake', height })
  await feed(runtime, { type: 'start', height, schedule: tip.schedule })
}

/** Someone is at the next height already: so is this validator now. */
export async function join(runtime: Runtime, height: number): Promise<void> {
  if (runtime.phase === 'waiting' && height === workingHeight(runtime)) await enter(runtime)
}

function dueMs(runtime: Runtime): number {
  const { timing, enteredMs, options, admitted, woken, evidence } = runtime
  const hasWork = woken || admitted.size > 0 || evidence.pending.size > 0
  const workMs = hasWork ? enteredMs : options.application.workDueMs()
  return nextStartMs(timing, enteredMs, workMs)
}

/**
 * When the height after one that started at `lastMs` is due.
 *
 * @param workMs - when there is work; undefined when none is known.
 */
export function nextStartMs(
  { blockIntervalMs, heartbeatMs }: Pick<Timing, 'blockIntervalMs' | 'heartbeatMs'>,
  lastMs: number,
  workMs: number | undefined,
): number {
  const heartbeatAtMs = lastMs + heartbeatMs
  const wantedMs = workMs === undefined ? heartbeatAtMs : Math.min(workMs, heartbeatAtMs)
  return Math.max(lastMs + blockIntervalMs, wantedMs)
}
