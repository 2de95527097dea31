import { compareSlots, type JournalInput, type SignSlot } from '#consensus'
import type { Hex } from '#primitives'
import type { Stored } from './block.ts'
import { flipBit, readImage, tear, toImage } from './disk-image.ts'
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
  /**
   * Whether the guard's file is damaged, so that nothing may be signed until a person has acted.
   */
  isRefused: boolean
}

/** An empty disk. */
export const createDisk = (): Disk => ({
  ...{ guard: undefined, log: [], synced: 0, store: [], isRefused: false },
})

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

/** What a crash leaves of the disk, as a validator finds it when it starts again. */
export function survive(world: World, peer: Peer): void {
  const { plan, chance } = world
  const { disk, fault } = peer
  if (!plan.protections.syncs) {
    disk.guard = undefined
    disk.log = []
  } else {
    const syncedBytes = toImage(disk.log.slice(0, disk.synced)).length
    reopenLog(world, peer, tear(toImage(disk.log), syncedBytes, chance))
    if (fault === 'damaged') disk.log.length = chance.below(disk.log.length + 1)
    if (fault === 'flipped')
      chance.of([flipInLog, flipInLog, flipInStore, flipInGuard])(world, peer)
  }
  disk.synced = disk.log.length
}

/** A log that is damaged ends before the damage. */
function reopenLog({ plan, checker }: World, { key, disk }: Peer, image: Uint8Array): void {
  const found = readImage<JournalInput>(image, plan.protections.checksums)
  checker.onReopened(key, disk.log, found)
  disk.log = [...found]
}

function flipInLog(world: World, peer: Peer): void {
  const image = toImage(peer.disk.log)
  flipBit(image, world.chance)
  reopenLog(world, peer, image)
}

/** A block store that is damaged ends before the damage: the rest comes from peers. */
function flipInStore({ plan, checker, chance }: World, { key, disk }: Peer): void {
  const image = toImage(disk.store)
  flipBit(image, chance)
  const found = readImage<Stored>(image, plan.protections.checksums)
  checker.onReopened(key, disk.store, found)
  if (found.length < disk.store.length) disk.log = []
  disk.store.splice(0, disk.store.length, ...found)
}

/** A guard that is damaged is not opened: its validator signs no more. */
function flipInGuard({ plan, checker, chance }: World, { key, disk }: Peer): void {
  if (!disk.guard || !chance.hits(guardFlipPermille)) return
  const image = toImage([disk.guard])
  flipBit(image, chance)
  const [found] = readImage<NonNullable<Disk['guard']>>(image, plan.protections.checksums)
  disk.isRefused = found === undefined
  if (found) checker.onReopened(key, [disk.guard], [found])
}

/** So that a validator with a bad disk lives on for a while. */
const guardFlipPermille = 300

/** Often enough that a bad disk does its harm. */
const badDiskCrashPermille = 10

function crashByChance({ plan, chance, nowMs }: World, { isHonest, fault }: Peer): void {
  if (!isHonest || nowMs >= plan.healMs) return
  const hasBadDisk = fault === 'damaged' || fault === 'flipped'
  const permille = hasBadDisk
    ? Math.max(plan.crashPermille, badDiskCrashPermille)
    : plan.crashPermille
  if (chance.hits(permille)) throw crash
}
