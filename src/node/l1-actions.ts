import { deliverLeaves, type OutboxAccess, type Submission, submitCheckpoint } from '#ethereum'
import { assert, type Hex, type Logger } from '#primitives'
import type { OperatorId } from '#records'
import { signatureForL1 } from '#threshold'
import type { L1Actions, L1Outcome } from './l1-duties.ts'

/** Told how every attempt on L1 ended, for metrics. */
export type L1Observer = {
  readonly submitted: (outcome: Submission['kind']) => void
  readonly delivered: (outcome: string) => void
}

/** What an operator does on L1, through its own account. */
export const l1Actions = (
  access: OutboxAccess,
  operator: OperatorId,
  observer: L1Observer,
): L1Actions => {
  const logSubmission = createSubmissionLog(access.logger)
  return {
    submit: async ({ checkpoint, signature }) => {
      assert(signature, 'a checkpoint to submit is certified')
      const l1Signature = signatureForL1(signature)
      const ended = await submitCheckpoint(access, { checkpoint, signature: l1Signature, operator })
      observer.submitted(ended.kind)
      logSubmission(checkpoint.index, ended)
      return outcomeOf(ended)
    },
    deliver: async (leaves, siblings, { checkpoint }) => {
      const proven = leaves.map((leaf, i) => ({ leaf, siblings: siblings[i] as readonly Hex[] }))
      const ended = await deliverLeaves(access, { leaves: proven, checkpoint })
      for (const { kind } of ended.values()) observer.delivered(kind)
      return new Set([...ended].flatMap(([index, { kind }]) => (kind === 'refused' ? [] : [index])))
    },
  }
}

function outcomeOf(ended: Submission): L1Outcome {
  switch (ended.kind) {
    case 'recorded':
      return 'done'
    case 'already':
    case 'too-early':
      return ended.kind
    case 'refused':
      return 'failed'
  }
}

/**
 * Tells of a refusal once, until submissions end in another way: there can be many in a row. That
 * L1 is out of reach, the listener says.
 */
function createSubmissionLog(logger: Logger): (index: number, ended: Submission) => void {
  let refusedFor: string | undefined
  return (index, ended) => {
    const reason = ended.kind === 'refused' ? ended.reason : undefined
    const isNews = reason !== undefined && reason !== refusedFor
    if (isNews && reason !== 'L1Unreachable') logger.warn('submission refused', { index, reason })
    refusedFor = reason
    if (ended.kind === 'recorded')
      logger.info('checkpoint recorded on L1', {
        index,
        transaction: ended.transaction,
        window: ended.window,
      })
  }
}
