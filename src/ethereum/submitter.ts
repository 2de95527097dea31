import { parseEventLogs } from 'viem'
import type { Clock, Hex, Logger } from '#primitives'
import type { Checkpoint, OperatorId } from '#records'
import type { L1Account } from './account.ts'
import { isUnreachable, type L1Client, rpcMessage } from './client.ts'
import {
  encodeSubmit,
  type L1Signature,
  outboxAbi,
  outboxCallAbi,
  revertName,
  submitArguments,
} from './contracts.ts'
import { toSafe } from './events.ts'
import type { L1Receipt, SendRefusal } from './transaction.ts'

/** What submitting and delivering need. */
export type OutboxAccess = {
  readonly client: L1Client
  readonly account: L1Account
  readonly outbox: Hex
  readonly clock: Clock
  readonly logger: Logger
}

/** A certified checkpoint, and the operator that brings it. */
export type CertifiedCheckpoint = {
  readonly checkpoint: Checkpoint
  readonly signature: L1Signature
  /** The operator whose registered account the sending account is. */
  readonly operator: OperatorId
}

/** How a submission ended. */
export type Submission =
  /** Recorded by our transaction, and credited to us. */
  | {
      readonly kind: 'recorded'
      readonly transaction: Hex
      readonly block: number
      readonly window: number
      readonly gasUsed: bigint
      readonly payWei: bigint
    }
  /** This checkpoint or a newer one stands on L1 without us: just as good, unpaid. */
  | { readonly kind: 'already' }
  /** Our window opens later: L1 seconds since the epoch. Nothing was sent. */
  | { readonly kind: 'too-early'; readonly opensAtS: number }
  /** A `SendRefusal`, or the name of the contract error that L1 answers with. */
  | { readonly kind: 'refused'; readonly reason: SendRefusal | string }

/**
 * Brings a certified checkpoint to L1. Asks the node first what would happen, so that only what
 * would be recorded is paid for; then sends, and looks again when the transaction reverted because
 * somebody else was faster. Never throws for what a node or a contract may answer.
 */
export async function submitCheckpoint(
  access: OutboxAccess,
  certified: CertifiedCheckpoint,
): Promise<Submission> {
  const { checkpoint, signature, operator } = certified
  const before = await simulate(access, certified)
  if (before) return before
  const sent = await access.account.send({
    to: access.outbox,
    data: encodeSubmit(checkpoint, signature, operator),
    gas: submissionGas,
  })
  if (!sent.ok) return { kind: 'refused', reason: sent.reason }
  if (sent.receipt.success) return toSubmission(sent.receipt, checkpoint)
  return (await simulate(access, certified)) ?? { kind: 'refused', reason: 'Reverted' }
}

/**
 * The L1 second from which an operator may submit: its own window's start, or the end of the last
 * named submitter's window (`Windows.isOpenTo`).
 */
export function opensAtS({ startS, windowS, submitters }: Checkpoint, operator: OperatorId) {
  const place = submitters.indexOf(operator)
  const named = submitters.findLastIndex((id) => id !== 0) + 1
  return startS + windowS * (place === -1 ? named : place)
}

/** What L1 would do now. @returns undefined when it would record. */
async function simulate(
  access: OutboxAccess,
  { checkpoint, signature, operator }: CertifiedCheckpoint,
): Promise<Submission | undefined> {
  try {
    const { result: recorded } = await access.client.simulateContract({
      address: access.outbox,
      abi: outboxCallAbi,
      functionName: 'submit',
      args: submitArguments(checkpoint, signature, operator),
      account: access.account.address,
      blockOverrides: { time: await nextBlockTime(access) },
    })
    return recorded ? undefined : { kind: 'already' }
  } catch (error) {
    const reason = revertName(error) ?? (isUnreachable(error) ? 'L1Unreachable' : 'L1Rejected')
    if (reason === 'TooEarly' || reason === 'WindowClosed')
      return { kind: 'too-early', opensAtS: opensAtS(checkpoint, operator) }
    const { index } = checkpoint
    access.logger.debug('submission refused', { index, reason, error: rpcMessage(error) })
    return { kind: 'refused', reason }
  }
}

/** Nodes simulate at the head's time; a transaction sent now runs in the next block. */
async function nextBlockTime({ client, clock }: OutboxAccess): Promise<bigint> {
  const { timestamp } = await client.getBlock()
  const nowS = BigInt(Math.floor(clock.nowMs() / 1000))
  return nowS > timestamp ? nowS : timestamp + 1n
}

function toSubmission(receipt: L1Receipt, { index }: Checkpoint): Submission {
  const events = parseEventLogs({
    abi: outboxAbi,
    eventName: 'CheckpointRecorded',
    logs: [...receipt.logs],
  })
  const ours = events.find((event) => toSafe(event.args.index) === index)
  if (!ours) return { kind: 'already' }
  const { transaction, block, gasUsed } = receipt
  const { window, pay: payWei } = ours.args
  return { kind: 'recorded', transaction, block, window, gasUsed, payWei }
}

/** Gas limit: at most 60,000 are used in steady state, and 38,000 more at an account's first. */
const submissionGas = 150_000n
