import { compareSlots, type JournalInput, type SignSlot } from '#consensus'
import type { Hex } from '#primitives'
import type { Stored } from './block.ts'
import type { Peer, World } from './world.ts'

/** What one validator has written, and how much of it a crash cannot take. */
export type Disk = {
  /** The last slot that was signed, and what. */
  guard: { readonly slot: SignSlot; readonly content: string } | undefined
  /** The write-ahead log of the height under way. */
  log: JournalInput[]
  /** How many of its records are synced. */
  synced: number
  /** Decided blocks, from height 1. */
  readonly store: Stored[]
}

/** An empty disk. */
export const createDisk = (): Disk => ({ guard: undefined, log: [], synced: 0, store: [] })

/** Thrown through a validator that crashes: nothing of what it was doing happens any more. */
export class CrashedError extends Error {}

const crash = new CrashedError('the power went')

/** A write that is durable when this returns; the validator may crash before it or after it. */
export function durably(world: World, peer: Peer, write: () => void): void {
  crashByChance(world, peer)
  write()
  crashByChance(world, peer)
}

/** Whether this may be signed there: slots move forward, and each takes one content. */
export function admit(world: World, peer: Peer, slot: SignSlot, content: string): boolean {
  if (!peer.isHonest) return true
  const { guard } = peer.disk
  const order = guard ? compareSlots(slot, guard.slot) : 1
  if (order < 0 || (order === 0 && guard?.content !== content)) return false
  durably(world, peer, () => {
    peer.disk.guard = { slot, content }
  })
  return true
}

/** Makes the log durable. */
export function syncLog(world: World, peer: Peer): void {
  if (!peer.isHonest) return
  durably(world, peer, () => {
    peer.disk.synced = peer.disk.log.length
  })
}

/** Keeps a decided block, for good; the log before it no longer matters. */
export function store(world: World, peer: Peer, stored: Stored): void {
  durably(world, peer, () => {
    peer.disk.store.push(stored)
    world.checker.onDecided(peer.key, peer.disk.store.length, stored)
    peer.disk.log = []
    peer.disk.synced = 0
  })
}

/** The name of the last stored block. */
export const tipName = ({ store }: Disk): Hex | undefined => store.at(-1)?.block.name

/**
 * What a crash leaves: everything synced, and of the rest a beginning, since a torn record ends a
 * log. A damaged disk loses a part of what was synced too.
 */
export function survive({ plan, chance }: World, { disk, fault }: Peer): void {
  if (!plan.protections.syncs) {
    disk.guard = undefined
    disk.log = []
  } else if (fault === 'damaged') disk.log.length = chance.below(disk.log.length + 1)
  else disk.log.length = disk.synced + chance.below(disk.log.length - disk.synced + 1)
  disk.synced = disk.log.length
}

/** Often enough that a damaged disk does its harm. */
const damagedCrashPermille = 10

function crashByChance({ plan, chance, nowMs }: World, { isHonest, fault }: Peer): void {
  if (!isHonest || nowMs >= plan.healMs) return
  const permille =
    fault === 'damaged' ? Math.max(plan.crashPermille, damagedCrashPermille) : plan.crashPermille
  if (chance.hits(permille)) throw crash
}
