import { assert, type Hex, type Logger } from '#primitives'
import type { GuardRefusal, Judgement } from './judge.ts'
import { type GuardRecord, type Purpose, purposes } from './records.ts'

/** Whether something may be signed. */
export type Permit = { readonly ok: true } | Refused

/** What was signed, the same for the same digest, or why nothing was. */
export type SignOutcome = { readonly ok: true; readonly signature: Hex } | Refused

/** Judgements since the start. */
export type Counts = { readonly permitted: number; readonly prevented: number }

/** Adds a record to the state before it returns, and to the disk before it resolves. */
export type Write = (record: GuardRecord) => Promise<void>

/** Carries out judgements: records what is new, waits for the disk, and counts. */
export type Clerk = {
  admit(purpose: Purpose, judgement: Judgement, record: GuardRecord): Promise<Permit>
  sign(
    purpose: Purpose,
    judgement: Judgement,
    make: () => Hex,
    toRecord: (signature: Hex) => GuardRecord,
  ): Promise<SignOutcome>
  counts(): Readonly<Record<Purpose, Counts>>
}

type Refused = { readonly ok: false; readonly reason: GuardRefusal }

/** @param options.sync - durable when it resolves: all that was written before. */
export function createClerk(options: {
  readonly write: Write
  readonly sync: () => Promise<void>
  /** While it is so, nothing is signed. */
  readonly isHeld: () => boolean
  readonly logger: Logger
  readonly onJudged: ((purpose: Purpose, isPermitted: boolean) => void) | undefined
}): Clerk {
  const { write, sync, isHeld, logger, onJudged } = options
  const counted = new Map(purposes.map((purpose) => [purpose, { permitted: 0, prevented: 0 }]))
  const count = (purpose: Purpose, isPermitted: boolean) => {
    const counts = counted.get(purpose)
    assert(counts, 'every purpose is counted')
    counts[isPermitted ? 'permitted' : 'prevented']++
    onJudged?.(purpose, isPermitted)
  }
  const refuse = (purpose: Purpose, reason: GuardRefusal): Refused => {
    count(purpose, false)
    logger.warn('sign guard refused', { reason, purpose })
    return { ok: false, reason }
  }
  return {
    async admit(purpose, judgement, record) {
      if (isHeld()) return refuse(purpose, 'Restored')
      if (!judgement.ok) return refuse(purpose, judgement.reason)
      await (judgement.kind === 'new' ? write(record) : sync())
      count(purpose, true)
      return { ok: true }
    },
    async sign(purpose, judgement, make, toRecord) {
      if (isHeld()) return refuse(purpose, 'Restored')
      if (!judgement.ok) return refuse(purpose, judgement.reason)
      const isNew = judgement.kind === 'new'
      const signature = isNew ? make() : judgement.signature
      assert(signature, 'what was signed for this purpose is kept')
      await (isNew ? write(toRecord(signature)) : sync())
      count(purpose, true)
      return { ok: true, signature }
    },
    counts: () => Object.fromEntries(counted) as Record<Purpose, Counts>,
  }
}
