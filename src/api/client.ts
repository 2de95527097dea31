import { DomainError } from '#primitives'
import { toJson } from './json.ts'
import {
  type NodeopArguments,
  type NodeopMethod,
  type NodeopResult,
  nodeopMethods,
} from './methods.ts'
import { RpcError, rpcCodes } from './rpc-error.ts'

/** Methods of every gateway's own namespace, typed; `request` reaches all others. */
export type Client = {
  readonly [M in NodeopMethod]: (...args: NodeopArguments<M>) => Promise<NodeopResult<M>>
} & {
  /** Any JSON-RPC method, its result unchecked. */
  request(method: string, params: readonly unknown[]): Promise<unknown>
}

/** How long one gateway may take before the next is asked. */
const defaultTimeoutMs = 10_000

/**
 * A client of several gateways of one network. It starts with the one that answered last and goes
 * round once: a gateway that cannot be reached, is overloaded, is none or answers nonsense is
 * passed over; an answer that is a JSON-RPC error is the answer. Resending is safe: transactions
 * and tasks are known by their digest.
 *
 * @param urls - HTTP endpoints, at least one.
 * @throws RpcError for an error answer, GatewaysUnreachableError when no gateway answers.
 */
export function createClient(
  urls: readonly string[],
  options: { readonly timeoutMs?: number } = {},
): Client {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  let preferred = 0
  const request = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    const failures: string[] = []
    for (let turn = 0; turn < urls.length; turn++) {
      const place = (preferred + turn) % urls.length
      const url = urls[place] as string
      const answer = await ask(url, method, params, timeoutMs)
      if ('failure' in answer) failures.push(`${url}: ${answer.failure}`)
      else if (isForeign(method, answer.error))
        failures.push(`${url} is no NodeOP gateway: it does not know ${method}`)
      else {
        preferred = place
        if (answer.error) throw answer.error
        return answer.result
      }
    }
    throw new GatewaysUnreachableError(`no gateway answers (${failures.join('; ')})`, { failures })
  }
  return { request, ...typedMethods(request) }
}

/** Whether an endpoint lacks a method that every gateway has: another node, or an older gateway. */
const isForeign = (method: string, error: RpcError | undefined): boolean =>
  error?.rpcCode === rpcCodes.MethodNotFound && Object.hasOwn(nodeopMethods, method)

const typedMethods = (request: Client['request']) =>
  Object.fromEntries(
    Object.entries(nodeopMethods).map(([name, { result }]) => [
      name,
      async (...args: readonly unknown[]) => {
        const answer = await request(name, args)
        const read = result.safeParse(answer)
        if (read.success) return read.data
        throw new UnexpectedAnswerError(`${name} answered in an unknown shape`, { method: name })
      },
    ]),
  ) as { [M in NodeopMethod]: (...args: NodeopArguments<M>) => Promise<NodeopResult<M>> }

type Answer =
  | { readonly failure: string }
  | { readonly error: RpcError }
  | { readonly error?: never; readonly result: unknown }

async function ask(
  url: string,
  method: string,
  params: readonly unknown[],
  timeoutMs: number,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: toJson({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (response.status >= 500 || response.status === 429)
      return { failure: `HTTP ${response.status}` }
    return readAnswer(await response.json())
  } catch (thrown) {
    return { failure: describeFailure(thrown) }
  }
}

function readAnswer(body: unknown): Answer {
  if (typeof body !== 'object' || body === null) return { failure: 'no JSON-RPC answer' }
  const { error, result } = body as { error?: unknown; result?: unknown }
  if (typeof error === 'object' && error !== null) {
    const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown }
    return typeof code === 'number' && typeof message === 'string'
      ? { error: new RpcError(code, message, data) }
      : { failure: 'no JSON-RPC answer' }
  }
  return result === undefined ? { failure: 'no JSON-RPC answer' } : { result }
}

/** `fetch` hides the reason (connection refused, …) in `cause`. */
function describeFailure(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const { cause } = thrown
  if (thrown.name === 'TimeoutError') return 'no answer in time'
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message
  return thrown.message
}

/** None of the gateways could be reached or gave an answer. */
export class GatewaysUnreachableError extends DomainError<
  'GatewaysUnreachable',
  { readonly failures: readonly string[] }
> {
  override readonly code = 'GatewaysUnreachable'
}

/** A gateway answered in a shape that this version does not know. */
export class UnexpectedAnswerError extends DomainError<
  'UnexpectedAnswer',
  { readonly method: string }
> {
  override readonly code = 'UnexpectedAnswer'
}
