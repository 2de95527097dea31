import { z } from 'zod'
import { fromHex, type Hex, toHex } from '#primitives'
import { agreementRules, type Leaf, leafHash, leafKinds } from '#records'
import { checkpointFields, submissionSchema } from './network.ts'
import { taskSchema } from './task.ts'
import { account, count, decimal, hash, hex, hexOf, serviceName } from './values.ts'

/**
 * How far a subject has come. unknown: this operator has not heard of it · accepted · confirmed: in
 * a decided block · certified: under a signed checkpoint · onL1: under a recorded root (a task: its
 * leaf was executed) · settled · refused, expired: ended, `reason` says why.
 */
export const proofStatuses = [
  'unknown',
  'accepted',
  'confirmed',
  'certified',
  'onL1',
  'settled',
  'refused',
  'expired',
] as const
export type ProofStatus = (typeof proofStatuses)[number]

/** An outbox leaf and its hash. */
export const leafSchema = z.object({
  index: count,
  service: serviceName,
  kind: z.enum(leafKinds),
  subject: hash,
  rule: z.enum(agreementRules),
  agreeingWeight: z.int().min(0).max(0xffffffff),
  committeeWeight: z.int().min(0).max(0xffffffff),
  stakeWei: decimal,
  body: hex,
  hash: hash,
})

export type LeafView = z.output<typeof leafSchema>

/**
 * The path from a transaction or task to L1, as far as it exists: every step can be checked without
 * trusting who sent it (`verifyProof`), and the root against the Outbox on L1.
 */
export const proofSchema = z.object({
  /** Hash of the L2 transaction, or id of the task. */
  subject: hash,
  kind: z.enum(['transaction', 'task']),
  status: z.enum(proofStatuses),
  reason: z.string().optional(),
  transaction: z
    .object({
      hash: hash,
      index: count,
      blockHash: hash,
      blockNumber: count,
      headerRlp: hex,
      /** Merkle-Patricia nodes from the header's transactionsRoot down to the transaction. */
      trieProof: z.array(hex),
    })
    .optional(),
  task: taskSchema.optional(),
  leaf: leafSchema.optional(),
  /** RFC 9162 inclusion path of the leaf under the checkpoint's root, bottom-up. */
  siblings: z.array(hash).optional(),
  checkpoint: z.object({ ...checkpointFields, signature: hexOf(65).optional() }).optional(),
  l1: z
    .object({
      chainId: count,
      outbox: account,
      ...submissionSchema.pick({ transaction: true, block: true }).shape,
      /** Execution of a task's leaf; `success`: its consumer took the result. */
      executed: z.object({ transaction: hash, success: z.boolean() }).optional(),
    })
    .optional(),
})

export type ProofView = z.output<typeof proofSchema>

/** The ledger's leaf as the wire shows it. */
export const toLeafView = (leaf: Leaf): LeafView => ({
  ...leaf,
  stakeWei: leaf.stakeWei.toString(),
  body: toHex(leaf.body),
  hash: leafHash(leaf),
})

/** The leaf's record; its claimed hash is left behind. */
export function fromLeafView({ hash: _claimed, ...view }: LeafView): Leaf {
  return { ...view, stakeWei: BigInt(view.stakeWei), body: fromHex(view.body) }
}

/** A subject that this operator knows nothing of. */
export const unknownProof = (subject: Hex, kind: ProofView['kind']): ProofView => ({
  subject,
  kind,
  status: 'unknown',
})
