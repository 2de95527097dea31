import { type NodeopArguments, type NodeopMethod, type NodeopResult, nodeopMethods } from '#api'
import { maxCallsInBatch, type Rpc, type RpcReply } from '../load/rpc.ts'

/** One method's result; undefined when nobody answers, or not in the known shape. */
export async function ask<M extends NodeopMethod>(
  rpc: Rpc,
  method: M,
  params: NodeopArguments<M>,
): Promise<NodeopResult<M> | undefined> {
  const { replies } = await rpc.send([{ method, params }])
  return readReply(method, replies?.[0])
}

/** The same method with one parameter each, in batches, in their order. */
export async function askEach<M extends NodeopMethod>(
  rpc: Rpc,
  method: M,
  parameters: readonly unknown[],
): Promise<readonly (NodeopResult<M> | undefined)[]> {
  const results: (NodeopResult<M> | undefined)[] = []
  for (let start = 0; start < parameters.length; start += maxCallsInBatch) {
    const part = parameters.slice(start, start + maxCallsInBatch)
    const { replies } = await rpc.send(part.map((parameter) => ({ method, params: [parameter] })))
    for (const place of part.keys()) results.push(readReply(method, replies?.[place]))
  }
  return results
}

function readReply<M extends NodeopMethod>(
  method: M,
  reply: RpcReply | undefined,
): NodeopResult<M> | undefined {
  if (reply?.kind !== 'result') return undefined
  const read = nodeopMethods[method].result.safeParse(reply.result)
  return read.success ? (read.data as NodeopResult<M>) : undefined
}
