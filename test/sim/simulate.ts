import { planDeeds } from './adversary.ts'
import type { Property, Violation } from './checker.ts'
import { planPartitions } from './network.ts'
import { act, receive, start } from './peer.ts'
import type { Plan } from './plan.ts'
import {
  type Application,
  type Counts,
  createWorld,
  isHealed,
  type Peer,
  type World,
} from './world.ts'

/** What became of a run. */
export type Run = {
  readonly seed: number
  /** Validators of the genesis. */
  readonly size: number
  readonly violations: readonly Violation[]
  /** Heights that some correct validator decided. */
  readonly heights: number
  /** Virtual time at the end. */
  readonly endMs: number
  readonly lines: ReadonlySet<number>
  readonly counts: Counts
  /** What the application counted. */
  readonly applied: Readonly<Record<string, number>>
  /** Of all events: the same seed has the same. */
  readonly digest: string
  /** Every event, when asked for. */
  readonly trace: readonly string[]
}

/** What to look for. */
export type Search = {
  /** A run ends with the first violation; of this property, when one is named. */
  readonly until?: Property
  readonly traced?: boolean
  readonly application?: Application
}

/** Runs a plan to its end: everybody has decided, or something does not hold. */
export function simulate(plan: Plan, { until, traced = false, application }: Search = {}): Run {
  const world = createWorld(plan, traced, { act, receive }, application)
  const { events, checker, peers } = world
  for (const peer of peers) start(world, peer)
  planPartitions(world)
  planDeeds(world)
  application?.begin(world)
  const isBroken = () =>
    checker.violations.length > 0 &&
    (until === undefined || checker.violations.some(({ property }) => property === until))
  let goal: number | undefined
  for (let event = events.pop(); event; event = events.pop()) {
    if (event.atMs > plan.healMs + plan.patienceMs) {
      checker.violations.push({ property: 'liveness', height: checker.chain.length + 1, who: '0x' })
      break
    }
    world.nowMs = event.atMs
    event.run()
    if (isBroken()) break
    if (goal === undefined && isHealed(world)) goal = checker.chain.length + plan.goal
    if (goal !== undefined && isDone(world, goal)) break
  }
  return toRun(world)
}

/** Whether every correct validator that may run has decided this height. */
function isDone(world: World, goal: number): boolean {
  const { peers, checker, application } = world

  if (checker.chain.length < goal || application?.isDone(world) === false) return false
  const isExempt = ({ isHonest, disk }: Peer) => !isHonest || disk.isRefused
  return peers.every((peer) => isExempt(peer) || peer.disk.store.length >= goal)
}

const toRun = ({ plan, checker, nowMs, lines, counts, digest, trace, ...world }: World): Run => ({
  ...{ seed: plan.seed, size: plan.size },
  violations: checker.violations,
  heights: checker.chain.length,
  endMs: nowMs,
  lines,
  counts,
  applied: world.application?.counts() ?? {},
  digest: (digest >>> 0).toString(16).padStart(8, '0'),
  trace: trace ?? [],
})
