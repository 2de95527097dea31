import type { Answers, L1Switches } from '#node'
import { setBounded } from '#primitives'
import { type OperatorId, resultDigest, type Task } from '#records'

/** How far a liar is off: ten times the truth, in the bytes of a 256-bit integer. */
const lieFactor = 10n

/** An operator that reports ten times what it has read. */
export const lying = (honest: Answers, operator: OperatorId): Answers => {
  const lieOf = (task: Task) => {
    const known = honest.resultOf(task)
    return known && { ...known, result: multiplied(known.result) }
  }
  return {
    ...honest,
    resultOf: lieOf,
    digestOf: (task) => {
      honest.digestOf(task) // starts the reading
      const lie = lieOf(task)
      return lie && resultDigest({ task: task.id, attempt: task.attempt, operator, ...lie })
    },
  }
}

/**
 * An operator that reads nothing: it commits the digest that a peer has committed, and reveals the
 * result that a peer has revealed, with a made-up salt, since that is what it cannot know.
 */
export const copying = (honest: Answers): Answers => ({
  ...honest,
  digestOf: (task) => task.committee.find(({ digest }) => digest !== undefined)?.digest,
  resultOf: (task) => {
    const copied = task.committee.find(({ result }) => result !== undefined)?.result
    return copied && { result: copied, salt: task.id }
  },
})

/**
 * The owner of a checkpoint's first window does not submit it; the owners of the later windows do,
 * and after those anyone.
 */
export const ownersIdle = (operator: OperatorId): L1Switches => ({
  submits: ({ checkpoint }) => checkpoint.submitters[0] !== operator,
})

/** So late is a slow operator's result: still within the time to commit, but after all others. */
const slowMs = 2_500

/** An operator that sits on its results for a while, as long as `isSlow` says so. */
export function delaying(honest: Answers, isSlow: () => boolean, nowMs: () => number): Answers {
  const knownMs = new Map<string, number>()
  return {
    ...honest,
    digestOf: (task) => {
      const digest = honest.digestOf(task)
      if (!digest || !isSlow()) return digest
      const sinceMs = knownMs.get(digest) ?? nowMs()
      setBounded(knownMs, digest, sinceMs, rememberedResults)
      return nowMs() >= sinceMs + slowMs ? digest : undefined
    },
  }
}

/** Results that a slow operator remembers to be sitting on. */
const rememberedResults = 8_192

function multiplied(result: Uint8Array): Uint8Array {
  let carry = 0n
  const product = new Uint8Array(result.length)
  for (let i = result.length - 1; i >= 0; i--) {
    carry += BigInt(result[i] ?? 0) * lieFactor
    product[i] = Number(carry & 0xffn)
    carry >>= 8n
  }
  return product
}
