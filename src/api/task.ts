import { z } from 'zod'
import { fromHex, toHex, type Wei } from '#primitives'
import {
  auditStates,
  maxTaskPayloadBytes,
  type Task as TaskRecord,
  type TaskRequest,
  taskStatuses,
} from '#records'
import { account, count, decimal, hash, hex, looseHex, serviceName } from './values.ts'

/** A task request as a client sends it; addresses and bytes in any case. */
export const taskRequestSchema = z.strictObject({
  client: looseHex(20),
  service: serviceName,
  payload: looseHex().refine(
    (text) => text.length <= 2 + 2 * maxTaskPayloadBytes,
    `must be at most ${maxTaskPayloadBytes} bytes`,
  ),
  /** The most that the client pays, in wei. */
  maxFee: decimal,
  validUntilMs: count,
  salt: looseHex(32),
})

export type TaskRequestView = z.output<typeof taskRequestSchema>

/** A request with its EIP-712 signature, r ‖ s ‖ v. */
export const signedTaskSchema = z.strictObject({
  request: taskRequestSchema,
  signature: looseHex(65),
})

export type SignedTask = z.output<typeof signedTaskSchema>

/** The request as the ledger's record. */
export const toTaskRequest = (view: TaskRequestView): TaskRequest => ({
  ...view,
  payload: fromHex(view.payload),
  maxFee: BigInt(view.maxFee) as Wei,
})

/** The ledger's record as a client sends it. */
export const fromTaskRequest = (request: TaskRequest): TaskRequestView => ({
  ...request,
  payload: toHex(request.payload),
  maxFee: request.maxFee.toString(),
})

/** A task and how far it has come. */
export const taskSchema = z.object({
  id: hash,
  request: z.object({
    client: account,
    service: z.string(),
    payload: hex,
    maxFee: decimal,
    validUntilMs: count,
    salt: hash,
  }),
  status: z.enum(taskStatuses),
  fee: decimal,
  /** 1 for the first draw, 2 for the redraw; 0 before. */
  attempt: count,
  acceptedHeight: count,
  drawnHeight: count,
  deadlineMs: count,
  committee: z.array(
    z.object({
      operator: count,
      weight: count,
      /** Blinded digest, and the block that holds it (0: none yet). */
      digest: hash.optional(),
      committedAt: count,
      result: hex.optional(),
    }),
  ),
  /** The agreed result, and the operators paid for it. */
  result: hex.optional(),
  agreeing: z.array(count),
  leafIndex: count,
  /** Why it ended without a result; empty otherwise. */
  reason: z.string(),
  /** Whether others have executed it again, and what came of it. */
  audit: z.enum(auditStates),
})

export type TaskView = z.output<typeof taskSchema>

/** The ledger's task as the wire shows it. */
export const toTaskView = (task: TaskRecord): TaskView => ({
  ...task,
  request: fromTaskRequest(task.request),
  fee: task.fee.toString(),
  committee: task.committee.map(({ operator, weight, digest, committedAt, result }) => ({
    operator,
    weight,
    committedAt,
    ...(digest === undefined ? {} : { digest }),
    ...(result === undefined ? {} : { result: toHex(result) }),
  })),
  result: task.result === undefined ? undefined : toHex(task.result),
  agreeing: [...task.agreeing],
})
