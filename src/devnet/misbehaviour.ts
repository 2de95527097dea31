import type { Answers, L1Switches } from '#node'
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

/** Window owners do not submit; everyone else does when the windows have passed. */
export const ownersIdle = (operator: OperatorId): L1Switches => ({
  submits: ({ checkpoint }) => checkpoint.submitters[0] !== operator,
})

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
