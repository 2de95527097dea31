import { parseEventLogs } from 'viem'
import type { Hex } from '#primitives'
import type { Leaf } from '#records'
import { isUnreachable, rpcMessage } from './client.ts'
import {
  encodeExecute,
  encodeExecuteMany,
  executeArguments,
  outboxAbi,
  outboxCallAbi,
  type RecordedRoot,
  revertName,
} from './contracts.ts'
import { toSafe } from './events.ts'
import type { OutboxAccess } from './submitter.ts'
import type { SendRefusal } from './transaction.ts'

/** A leaf and its inclusion proof: siblings bottom-up (RFC 9162 §2.1.3). */
export type ProvenLeaf = { readonly leaf: Leaf; readonly siblings: readonly Hex[] }

/** Leaves to execute under one recorded checkpoint. */
export type DueLeaves = {
  readonly leaves: readonly ProvenLeaf[]
  readonly checkpoint: RecordedRoot
}

/** How the delivery of one leaf ended. */
export type Delivery =
  /** Executed by our transaction; `success` says whether the consumer took it. */
  | { readonly kind: 'executed'; readonly transaction: Hex; readonly success: boolean }
  /** Executed before, or by somebody else meanwhile. */
  | { readonly kind: 'already' }
  /** A `SendRefusal`, or the name of the contract error that L1 answers with. */
  | { readonly kind: 'refused'; readonly reason: SendRefusal | string }

/**
 * Executes leaves on L1, all in one transaction as far as they fit. Each is asked about first, so
 * that one that L1 refuses does not hold back the others. Never throws for what a node answers.
 *
 * @returns by leaf index, an entry for every leaf that was given.
 */
export async function deliverLeaves(
  access: OutboxAccess,
  due: DueLeaves,
): Promise<ReadonlyMap<number, Delivery>> {
  const known = await Promise.all(
    due.leaves.map(async (one) => [one, await simulate(access, one, due.checkpoint)] as const),
  )
  const results = new Map<number, Delivery>()
  for (const [{ leaf }, delivery] of known) if (delivery) results.set(leaf.index, delivery)
  const open = known.filter(([, delivery]) => !delivery).map(([one]) => one)
  const batches = Array.from({ length: Math.ceil(open.length / leavesPerCall) }, (_, i) =>
    open.slice(i * leavesPerCall, (i + 1) * leavesPerCall),
  )
  const ended = await Promise.all(batches.map((batch) => deliver(access, batch, due.checkpoint)))
  for (const [index, delivery] of ended.flat()) results.set(index, delivery)
  return results
}

/** What L1 would do with one leaf now. @returns undefined when it would execute it. */
async function simulate(
  { client, account, outbox, logger }: OutboxAccess,
  { leaf, siblings }: ProvenLeaf,
  checkpoint: RecordedRoot,
): Promise<Delivery | undefined> {
  try {
    await client.simulateContract({
      address: outbox,
      abi: outboxCallAbi,
      functionName: 'execute',
      args: executeArguments(leaf, siblings, checkpoint),
      account: account.address,
    })
    return undefined
  } catch (error) {
    const reason = revertName(error) ?? (isUnreachable(error) ? 'L1Unreachable' : 'L1Rejected')
    if (reason === 'AlreadyExecuted') return { kind: 'already' }
    logger.debug('delivery refused', { leaf: leaf.index, reason, error: rpcMessage(error) })
    return { kind: 'refused', reason }
  }
}

/** One transaction for up to `leavesPerCall` leaves that L1 would execute. */
async function deliver(
  access: OutboxAccess,
  batch: readonly ProvenLeaf[],
  checkpoint: RecordedRoot,
): Promise<(readonly [number, Delivery])[]> {
  const sent = await access.account.send({
    to: access.outbox,
    data: encodeDelivery(batch, checkpoint),
  })
  const reverted = sent.ok ? !sent.receipt.success : sent.reason === 'CallReverts'
  if (reverted) return Promise.all(batch.map((one) => afterRevert(access, one, checkpoint)))
  if (!sent.ok)
    return batch.map(({ leaf }) => [leaf.index, { kind: 'refused', reason: sent.reason }])
  const { receipt } = sent
  const logs = [...receipt.logs]
  const events = parseEventLogs({ abi: outboxAbi, eventName: 'LeafExecuted', logs })
  const successes = new Map(
    events.map(({ args }) => [toSafe(args.leafIndex), args.success] as const),
  )
  const { transaction } = receipt
  return batch.map(({ leaf: { index } }) => {
    const success = successes.get(index)
    return [index, success === undefined ? already : { kind: 'executed', transaction, success }]
  })
}

function encodeDelivery(batch: readonly ProvenLeaf[], checkpoint: RecordedRoot): Hex {
  const [only, ...others] = batch
  if (only && others.length === 0) return encodeExecute(only.leaf, only.siblings, checkpoint)
  return encodeExecuteMany(
    batch.map(({ leaf }) => leaf),
    batch.map(({ siblings }) => siblings),
    checkpoint,
  )
}

/** Somebody else may have executed it in the same block: then all is well. */
async function afterRevert(
  access: OutboxAccess,
  one: ProvenLeaf,
  checkpoint: RecordedRoot,
): Promise<readonly [number, Delivery]> {
  const now = await simulate(access, one, checkpoint)
  return [one.leaf.index, now ?? { kind: 'refused', reason: 'Reverted' }]
}

const already: Delivery = { kind: 'already' }

/** A transaction holds 2²⁴ gas (EIP-7825); a leaf takes up to 8 KiB and its consumer's limit. */
const leavesPerCall = 16
