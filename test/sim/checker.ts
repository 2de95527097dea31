import { isDeepStrictEqual } from 'node:util'
import type { Conflict, Member, Proposal, ValidatorSchedule, Vote } from '#consensus'
import { type Hex, isMoreThanTwoThirds } from '#primitives'
import { type Block, genesisName, type Stored } from './block.ts'

/** What must hold whatever happens. */
export type Property =
  /** No two correct validators decide different blocks at a height. */
  | 'agreement'
  /** A decided block follows the one before, is acceptable, and was made by a validator. */
  | 'validity'
  /** A decision shows signed precommits of more than 2/3 of the power of its height. */
  | 'certificate'
  /** No correct validator signs two things for one slot, across any crash. */
  | 'signed-once'
  /** No correct validator is shown to have voted twice. */
  | 'accountability'
  /** What a validator finds on its disk is a beginning of what it wrote there. */
  | 'intact'
  /** Balances, reserved fees and the pool are what was deposited. */
  | 'conservation'
  /** What was cut as a checkpoint stays, grows, and is certified by the group's key. */
  | 'checkpoints'
  /** An accepted task is there until it has ended with a recorded outcome. */
  | 'tasks'
  /** Once faults have ended, everybody decides. */
  | 'liveness'

/** A property that did not hold. */
export type Violation = { readonly property: Property; readonly height: number; readonly who: Hex }

/** Looks at what is signed, decided and accused, and knows nothing of faults. */
export type Checker = {
  readonly violations: Violation[]
  /** The decided blocks, from height 1. */
  readonly chain: readonly Hex[]
  onSigned(signed: Vote | Proposal): void
  onDecided(who: Hex, height: number, stored: Stored): void
  onEvidence(conflict: Conflict): void
  /** A file was opened after a crash: its records as they were written, and as they were found. */
  onReopened(who: Hex, written: readonly unknown[], found: readonly unknown[]): void
}

/** What a checker must know of the world. */
export type Known = {
  isHonest(key: Hex): boolean
  scheduleOf(height: number): ValidatorSchedule
  blockOf(name: Hex): Block | undefined
  isSignedVote(vote: Vote): boolean
}

/** A checker that has seen nothing. */
export function createChecker(known: Known): Checker {
  const violations: Violation[] = []
  const chain: Hex[] = []
  const signed = new Map<string, string>()
  const report = (property: Property, height: number, who: Hex) =>
    void violations.push({ property, height, who })
  const onEvidence = ({ first, second }: Conflict) => {
    if (known.isHonest(first.validator) || first.value === second.value)
      report('accountability', first.height, first.validator)
  }
  return {
    violations,
    chain,
    onEvidence,
    onReopened(who, written, found) {
      if (!isDeepStrictEqual(written.slice(0, found.length), found))
        report('intact', chain.length + 1, who)
    },
    onSigned(message) {
      const [who, step] =
        'step' in message ? [message.validator, message.step] : [message.proposer, 'proposal']
      if (!known.isHonest(who)) return
      const content =
        'step' in message ? `${message.value}` : `${message.value} ${message.validRound}`
      const slot = `${who} ${message.height} ${message.round} ${step}`
      const before = signed.get(slot)
      if (before === undefined) signed.set(slot, content)
      else if (before !== content) report('signed-once', message.height, who)
    },
    onDecided(who, height, { block, commit }) {
      if (!known.isHonest(who)) return
      // Each validator shows its own certificate, also for a block that another has decided before.
      if (!isCertified(known, height, block.name, commit)) report('certificate', height, who)
      const decided = chain[height - 1]
      if (decided === block.name) return
      if (decided === undefined && height === chain.length + 1) chain.push(block.name)
      else report('agreement', height, who)
      if (!isValid(known, height, block, chain)) report('validity', height, who)
      for (const conflict of block.misbehaviour) onEvidence(conflict)
    },
  }
}

function isValid(known: Known, height: number, block: Block, chain: readonly Hex[]): boolean {
  const parent = height === 1 ? genesisName : chain[height - 2]
  const before = parent === undefined ? undefined : known.blockOf(parent)
  return (
    block.isAcceptable &&
    block.height === height &&
    block.parent === parent &&
    block.timeMs > (before?.timeMs ?? -1) &&
    known.scheduleOf(height).current.positions.has(block.proposer)
  )
}

function isCertified(known: Known, height: number, name: Hex, commit: readonly Vote[]): boolean {
  const { current } = known.scheduleOf(height)
  const counted = new Set<Hex>()
  let power = 0n
  for (const vote of commit) {
    const position = current.positions.get(vote.validator)
    if (position === undefined || counted.has(vote.validator)) return false
    if (vote.step !== 'precommit' || vote.height !== height || vote.value !== name) return false
    if (vote.round !== commit[0]?.round || !known.isSignedVote(vote)) return false
    counted.add(vote.validator)
    power += (current.members[position] as Member).power
  }
  return isMoreThanTwoThirds(power, current.totalPower)
}
