import { setTimeout as pass } from 'node:timers/promises'
import { createDisk, type OperatorOptions, systemClock } from '#node'
import type { Clock } from '#primitives'
import type { Genesis, OperatorId } from '#records'
import { copying, delaying, lying, ownersIdle } from './misbehaviour.ts'
import type { DevnetOptions } from './options.ts'
import type { Slowness } from './slowness.ts'
import { slowDisk, smallDisk } from './troubled-disk.ts'

/** What a devnet can have go wrong. */
export const chaosKinds = [
  'submitter',
  'operator',
  'liar',
  'copier',
  'slow',
  'l1-down',
  'reorg',
  'deep-reorg',
  'slow-disk',
  'disk-full',
  'clock-skew',
] as const
export type ChaosKind = (typeof chaosKinds)[number]

/** What can be done to operators from outside, who are processes of their own. */
export const outerChaosKinds: readonly ChaosKind[] = ['operator', 'l1-down', 'reorg', 'deep-reorg']

/** Who misbehaves how: the last operator lies or has a small disk, the one before it copies. */
const liarOf = (operators: number): OperatorId => operators
const copierOf = (operators: number): OperatorId => operators - 1

/** Time that a slow disk takes for a sync: a worn one, or a network volume. */
const slowSyncMs = 50
/** Room of a small disk: seconds of blocks and votes. */
const smallDiskBytes = 128 * 1024
/** How far the outermost clocks are from ours, one ahead and one behind. */
const skewMs = 2_000

/** With reorganisations: the depth that L1 events must have, and windows that outlast them. */
const depthBlocks = 8n
const windowS = 15n

/**
 * With a folder that is kept: an anvil that is killed forgets what it has not written, and what of
 * that is not copied. The network agrees on nothing as fresh, so that it misses nothing.
 */
const keptDepthBlocks = 4n

/** Governed parameters that the options ask for. */
export function parametersOf({
  chaos,
  data,
}: Pick<DevnetOptions, 'chaos' | 'data'>): Genesis['parameters'] {
  if (chaos.includes('reorg') || chaos.includes('deep-reorg'))
    return [
      { name: 'l1DepthBlocks', value: depthBlocks },
      { name: 'windowS', value: windowS },
    ]
  return data === undefined ? [] : [{ name: 'l1DepthBlocks', value: keptDepthBlocks }]
}

/** What of an operator's surroundings and conduct is the devnet's to choose. */
type Troubles = Pick<OperatorOptions, 'bend' | 'switches' | 'disk' | 'clock'>

/** How chaos bends one operator: its answers, its duties, its disk and its clock. */
export function troublesOf(
  options: Pick<DevnetOptions, 'chaos' | 'operators' | 'slowOperator'>,
  id: OperatorId,
  folder: string,
  { isSlow }: Slowness,
): Troubles {
  const { chaos, operators } = options
  const has = (kind: ChaosKind) => chaos.includes(kind)
  const disk = createDisk(folder)
  return {
    clock: has('clock-skew') ? skewed(systemClock, skewOf(id, operators)) : systemClock,
    ...(has('slow-disk') ? { disk: slowDisk(disk, () => pass(slowSyncMs)) } : {}),
    ...(has('disk-full') && id === operators ? { disk: smallDisk(disk, smallDiskBytes) } : {}),
    ...(has('submitter') ? { switches: ownersIdle(id) } : {}),
    ...(has('slow') && id === options.slowOperator
      ? { bend: (honest) => delaying(honest, isSlow, systemClock.nowMs) }
      : {}),
    ...(has('copier') && id === copierOf(operators) ? { bend: copying } : {}),
    ...(has('liar') && id === liarOf(operators) ? { bend: (honest) => lying(honest, id) } : {}),
  }
}

/** Clocks spread evenly from slow to fast. */
const skewOf = (id: OperatorId, operators: number): number =>
  operators === 1 ? 0 : Math.round(skewMs * ((2 * (id - 1)) / (operators - 1) - 1))

const skewed = (clock: Clock, aheadMs: number): Clock => ({
  ...clock,
  nowMs: () => clock.nowMs() + aheadMs,
})
