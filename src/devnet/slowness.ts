import { percentile } from '#simulation'
import type { AllocationFacts, RunFacts, TaskFacts } from './observe/facts.ts'

/** Whether the slow operator is slow, and when it was so first. */
export type Slowness = {
  readonly isSlow: () => boolean
  set(isSlow: boolean): void
  /** Of its first slow time, in milliseconds since the epoch; the end is Infinity during it. */
  readonly first: () => SlowSpan | undefined
}

/** From when until when an operator was slow. */
export type SlowSpan = { readonly fromMs: number; readonly untilMs: number }

/** An operator that is well, until somebody says otherwise. */
export function createSlowness(nowMs: () => number): Slowness {
  let isSlow = false
  let first: SlowSpan | undefined
  return {
    isSlow: () => isSlow,
    set(value) {
      if (value === isSlow) return
      isSlow = value
      if (isSlow) first ??= { fromMs: nowMs(), untilMs: Infinity }
      else if (first?.untilMs === Infinity) first = { ...first, untilMs: nowMs() }
    },
    first: () => first,
  }
}

/** What a slow operator did to the network, and the network to it. */
export type SlowOutcome = {
  readonly operator: number
  /** Its part of all work: before, three epochs after it became slow, at the least, at the end. */
  readonly share: {
    readonly before: number
    readonly afterThree: number
    readonly least: number
    readonly end: number
  }
  /**
   * 99th percentile from a task's request to its agreement, in the same run: while all were well;
   * from the third epoch after it became slow on, as long as it was; and over healthy.
   */
  readonly p99Ms: { readonly healthy: number; readonly moved: number; readonly ratio: number }
  /** Tasks that these are of. */
  readonly tasks: { readonly healthy: number; readonly moved: number }
}

/** By then work must have moved away from an operator that has become slow. */
const epochsToMove = 3

/**
 * How the network dealt with an operator's first slow time; undefined when the run was too short to
 * see three epochs of it with tasks after them.
 */
export function slowOutcome(
  operator: number,
  { fromMs, untilMs }: SlowSpan,
  { allocations, tasks }: Pick<RunFacts, 'allocations' | 'tasks'>,
): SlowOutcome | undefined {
  const shareIn = (one: AllocationFacts | undefined) => one?.shares[operator] ?? 0
  const before = allocations.filter(({ timeMs }) => timeMs <= fromMs)
  const after = allocations.filter(({ timeMs }) => timeMs > fromMs)
  // The epoch in which it becomes slow is not yet one after it.
  const third = after[epochsToMove]
  const last = after[epochsToMove - 1]
  if (!third || !last || before.length === 0) return undefined
  const healthy = latencies(tasks.filter(({ agreedMs }) => (agreedMs ?? Infinity) <= fromMs))
  const moved = latencies(
    tasks.filter(({ requestedMs }) => requestedMs > last.timeMs && requestedMs < untilMs),
  )
  if (healthy.length === 0 || moved.length === 0) return undefined
  const [healthyMs, movedMs] = [percentile(healthy, 0.99), percentile(moved, 0.99)]
  return {
    operator,
    share: {
      before: shareIn(before.at(-1)),
      afterThree: shareIn(third),
      least: Math.min(...after.map(shareIn)),
      end: shareIn(allocations.at(-1)),
    },
    p99Ms: {
      healthy: healthyMs,
      moved: movedMs,
      ratio: Math.round((100 * movedMs) / Math.max(1, healthyMs)) / 100,
    },
    tasks: { healthy: healthy.length, moved: moved.length },
  }
}

/** From request to agreement, in whole milliseconds, of those that came to it. */
export const latencies = (tasks: readonly TaskFacts[]): readonly number[] =>
  tasks.flatMap(({ requestedMs, agreedMs }) =>
    agreedMs === undefined ? [] : [Math.max(0, Math.round(agreedMs - requestedMs))],
  )
