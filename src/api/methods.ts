import { z } from 'zod'
import { describeArguments, wordsOf } from './argument-words.ts'
import {
  blockSchema,
  checkpointSchema,
  operatorSchema,
  parameterSchema,
  serviceSchema,
  statusSchema,
} from './network.ts'
import { proofSchema } from './proof.ts'
import { invalidParams } from './rpc-error.ts'
import { signedTaskSchema, taskSchema } from './task.ts'
import { hash, limit, looseHex } from './values.ts'

/**
 * A method as the gateway calls it. It throws what carries an `rpcCode`; all else is a defect. Once
 * the signal is aborted, nobody waits for it: work that a client can make long has to end then.
 */
export type RpcMethod = (params: readonly unknown[], signal?: AbortSignal) => Promise<unknown>

const method = <Params extends z.ZodType<readonly unknown[]>, Result extends z.ZodType>(
  params: Params,
  result: Result,
  ...names: readonly string[]
) => ({ params, result, names })

/**
 * Every method of the gateway's own namespace: what it takes by position, what it returns, and what
 * errors call its parameters.
 */
export const nodeopMethods = {
  nodeop_status: method(z.tuple([]), statusSchema),
  /** Answers the task's id; a refusal is error -32000 with its reason code. */
  nodeop_sendTask: method(z.tuple([signedTaskSchema]), hash, 'task'),
  /** Null when the network does not know, or has forgotten, the id. */
  nodeop_getTask: method(z.tuple([looseHex(32)]), taskSchema.nullable(), 'id'),
  /** Takes the hash of an L2 transaction or the id of a task. */
  nodeop_getProof: method(z.tuple([looseHex(32)]), proofSchema, 'subject'),
  /** Newest first, like all lists. */
  nodeop_checkpoints: method(z.tuple([limit]), z.array(checkpointSchema), 'limit'),
  nodeop_blocks: method(z.tuple([limit]), z.array(blockSchema), 'limit'),
  nodeop_tasks: method(z.tuple([limit]), z.array(taskSchema), 'limit'),
  nodeop_operators: method(z.tuple([]), z.array(operatorSchema)),
  nodeop_services: method(z.tuple([]), z.array(serviceSchema)),
  nodeop_parameters: method(z.tuple([]), z.array(parameterSchema)),
} as const

export type NodeopMethod = keyof typeof nodeopMethods

/** Parameters of a method after reading, and as a caller writes them. */
export type NodeopParams<M extends NodeopMethod> = z.output<(typeof nodeopMethods)[M]['params']>
export type NodeopArguments<M extends NodeopMethod> = z.input<(typeof nodeopMethods)[M]['params']>
export type NodeopResult<M extends NodeopMethod> = z.output<(typeof nodeopMethods)[M]['result']>

/** What an operator implements to serve the namespace. */
export type NodeopApi = {
  readonly [M in NodeopMethod]: (...params: NodeopParams<M>) => Promise<NodeopResult<M>>
}

/** The implementation as gateway methods, each behind its parameters' schema (-32602). */
export const serveNodeop = (api: NodeopApi): Readonly<Record<NodeopMethod, RpcMethod>> =>
  Object.fromEntries(
    Object.keys(nodeopMethods).map((name) => [name, serve(api, name as NodeopMethod)]),
  ) as Record<NodeopMethod, RpcMethod>

function serve(api: NodeopApi, name: NodeopMethod): RpcMethod {
  const { params: schema, names } = nodeopMethods[name]
  const run = api[name] as (...params: readonly unknown[]) => Promise<unknown>
  return async (params) => {
    const given = params.map((value) => value ?? undefined) // null is as good as absent
    const read = schema.safeParse(given, { error: wordsOf })
    if (!read.success) throw invalidParams(describeArguments(read.error, names, given))
    return run(...read.data)
  }
}
