import { z } from 'zod'
import {
  agreementRules,
  capabilities,
  checkpointStatuses,
  operatorStatuses,
  serviceModes,
} from '#records'
import { account, count, decimal, hash, hexOf } from './values.ts'

/** What `nodeop_status` tells: who answers, what the network is, how far everything has come. */
export const statusSchema = z.object({
  version: z.string(),
  /** `embedded` or `cometbft`. */
  engine: z.string(),
  operator: z.object({ id: count, name: z.string() }),
  /** Whether this operator serves; `reason` says why not. */
  ready: z.boolean(),
  reason: z.string().optional(),
  network: z.object({
    id: hash,
    name: z.string(),
    operators: count,
    threshold: count,
    groupKey: hexOf(33),
  }),
  /** The ledger at its last committed block. */
  ledger: z.object({ height: count, timeMs: count, appHash: hash, epoch: count }),
  l1: z.object({
    chainId: count,
    outbox: account,
    serviceManager: account,
    /** Where this operator reads L1, when it may be told: a devnet's is public. */
    url: z.string().optional(),
    /** Last L1 block at the governed depth, and relevant events that the network agreed on. */
    block: count,
    events: count,
    /** Why nothing that L1 drives goes on; absent while it does. */
    reason: z.string().optional(),
  }),
  l2: z.object({ chainId: count, block: count, blockHash: hash, transactions: count }).optional(),
  outbox: z.object({
    leaves: count,
    /** Checkpoints that were cut, that are certified, and the highest index on L1; 0: none yet. */
    cut: count,
    certified: count,
    onL1: count,
  }),
  tasks: z.object({ open: count, settled: count, expired: count }),
  /** Gateways of the network that a client may use, this one included. */
  gateways: z.array(z.string()),
})

export type StatusView = z.output<typeof statusSchema>

/** An operator's record for people: identity, power, what it sees of L1, how it has served. */
export const operatorSchema = z.object({
  id: count,
  name: z.string(),
  status: z.enum(operatorStatuses),
  power: decimal,
  ledgerAddress: account,
  consensusKey: hash,
  l1Account: account,
  /** Sequence of its last accepted report. */
  sequence: count,
  view: z.object({ block: count, events: count, digest: hash, fork: z.boolean() }),
  missedWindows: count,
  silentSessions: count,
  /**
   * What it says of itself: places an epoch, what one costs in wei, whom it stands or falls with.
   */
  declared: z
    .object({
      capacity: count,
      costs: z.array(z.object({ service: z.string(), cost: decimal })),
      group: z.string(),
    })
    .optional(),
  /** How it has served each service it was drawn for; fractions in units of 10^-18. */
  scores: z
    .array(
      z.object({
        service: z.string(),
        timeliness: decimal,
        agreement: decimal,
        latency: decimal,
        trust: decimal,
        /** Part of the service's tasks whose committee it sits in. */
        share: decimal,
        drawn: count,
        late: count,
        missing: count,
        outlying: count,
        /** Results of its own that an audit confirmed, and contradicted. */
        upheld: count,
        refuted: count,
        earned: decimal,
      }),
    )
    .optional(),
  gateway: z.string().optional(),
})

export type OperatorView = z.output<typeof operatorSchema>

/** A service's specification. */
export const serviceSchema = z.object({
  name: z.string(),
  mode: z.enum(serviceModes),
  rule: z.enum(agreementRules),
  committee: count,
  /** Price of one task in wei. */
  fee: decimal,
  commitMs: count,
  revealMs: count,
  toleranceBps: count,
  /** How far a later execution may be; without it, none is audited. */
  auditToleranceBps: count.optional(),
  requires: z.array(z.enum(capabilities)).readonly(),
  consumer: account,
})

export type ServiceView = z.output<typeof serviceSchema>

/** A governed parameter in force. */
export const parameterSchema = z.object({ name: z.string(), value: decimal })

export type ParameterView = z.output<typeof parameterSchema>

/** A block that consensus decided. */
export const blockSchema = z.object({
  height: count,
  hash: hash,
  timeMs: count,
  /** The operator that proposed it; 0 when its key is no longer in the ledger. */
  proposer: count,
  /** Round in which it was decided; above 0 when a proposer failed. */
  round: count.optional(),
  transactions: count,
  refused: count.optional(),
  /** The L2 block it made, when it held L2 transactions. */
  l2: z.object({ number: count, hash: hash, transactions: count }).optional(),
})

export type BlockView = z.output<typeof blockSchema>

/** Where and by whom a checkpoint was brought to L1. */
export const submissionSchema = z.object({
  transaction: hash,
  block: count,
  /** Account that sent it, its operator (0: none), the window it fell in (from 0), L1 time. */
  submitter: account,
  operator: count.optional(),
  window: count.optional(),
  timeS: count.optional(),
})

/** The checkpoint's own fields, as the group signed them. */
export const checkpointFields = {
  index: count,
  size: count,
  root: hash,
  startS: count,
  windowS: count,
  submitters: z.array(count),
}

/** A checkpoint: what the group signed, when, and what became of it on L1. */
export const checkpointSchema = z.object({
  ...checkpointFields,
  status: z.enum(checkpointStatuses),
  cutMs: count,
  /** Zero before. */
  certifiedMs: count,
  signature: hexOf(65).optional(),
  l1: submissionSchema.optional(),
})

export type CheckpointView = z.output<typeof checkpointSchema>
