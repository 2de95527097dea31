import { rpcCodes } from '#api'
import type { HttpAnswer, HttpFailure, Poster } from './connection.ts'

/** One JSON-RPC call. */
export type RpcCall = { readonly method: string; readonly params: readonly unknown[] }

/**
 * What a gateway says to one call; `reason` is a code, taken from the words where none is given.
 */
export type RpcReply =
  | { readonly kind: 'result'; readonly result: unknown }
  | {
      readonly kind: 'error'
      readonly code: number
      readonly message: string
      readonly reason: string
    }

/** Replies in the order of the calls, or why no gateway gave any. */
export type RpcOutcome = {
  readonly replies: readonly RpcReply[] | undefined
  /** Who gave them. */
  readonly gateway?: string
  /** Why each gateway that was passed over did not answer. */
  readonly failures: readonly string[]
  /** Whether a gateway that did not answer may have done what was asked all the same. */
  readonly mayHaveArrived: boolean
}

/** Several gateways of one network, of which one is asked. */
export type Rpc = {
  /**
   * Sends the calls, as a batch when there are several, to the gateway of choice and, as long as
   * none answers, to each of the others in turn, once. Never rejects.
   */
  send(calls: readonly RpcCall[]): Promise<RpcOutcome>
}

/** Which gateways to ask, in which order, and how. */
export type RpcOptions = {
  readonly gateways: readonly string[]
  readonly poster: Poster
  /** Place of the gateway of choice. */
  readonly first: number
  readonly nowMs: () => number
  /**
   * After this time, the gateway of choice is tried again; absent: stays with who answered last.
   */
  readonly returnMs?: number
}

/** Most calls in one batch: the gateways' limit. */
export const maxCallsInBatch = 20

/** A connection to the gateways that stays with one and passes over those that do not answer. */
export function createRpc({ gateways, poster, first, nowMs, returnMs }: RpcOptions): Rpc {
  let current = first
  let leftMs = 0
  return {
    async send(calls) {
      if (returnMs !== undefined && nowMs() - leftMs >= returnMs) current = first
      const body = encodeCalls(calls)
      const failures: string[] = []
      let mayHaveArrived = false
      for (let turn = 0; turn < gateways.length; turn++) {
        const place = (current + turn) % gateways.length
        const url = gateways[place] as string
        const answer = readReplies(await poster.post(url, body), calls.length)
        if (!('failure' in answer)) {
          if (place !== current) leftMs = nowMs()
          current = place
          return { replies: answer.replies, gateway: url, failures, mayHaveArrived }
        }
        failures.push(`${url}: ${answer.failure}`)
        mayHaveArrived ||= answer.mayHaveArrived
      }
      return { replies: undefined, failures, mayHaveArrived }
    },
  }
}

/** A result's value; undefined when nobody answered, or the answer is an error. */
export const resultOf = ({ replies }: RpcOutcome): unknown =>
  replies?.[0]?.kind === 'result' ? replies[0].result : undefined

function encodeCalls(calls: readonly RpcCall[]): string {
  const bodies = calls.map((call, id) => ({ jsonrpc: '2.0', id, ...call }))
  return JSON.stringify(calls.length === 1 ? bodies[0] : bodies)
}

type Replies = { readonly replies: readonly RpcReply[] } | HttpFailure

function readReplies(answer: HttpAnswer | HttpFailure, count: number): Replies {
  if ('failure' in answer) return answer
  const { status, text } = answer
  // 503 and 429 are refusals before anything was read.
  if (status >= 500 || status === 429)
    return { failure: `HTTP ${status}`, mayHaveArrived: status !== 503 && status !== 429 }
  const entries = parseEntries(text)
  if (!entries) return { failure: 'no JSON-RPC answer', mayHaveArrived: true }
  const replies = Array.from({ length: count }, (_, id) => toReply(entries.get(id)))
  const [only] = replies
  if (count === 1 && only?.kind === 'error' && isNoAnswer(only.code))
    return { failure: only.message, mayHaveArrived: only.code !== rpcCodes.Overloaded }
  return { replies }
}

/** Errors by which a gateway says that it could not serve, not that it refuses. */
const isNoAnswer = (code: number): boolean =>
  code === rpcCodes.RequestTimeout ||
  code === rpcCodes.Overloaded ||
  code === rpcCodes.InternalError

function parseEntries(text: string): ReadonlyMap<unknown, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text)
    const entries: unknown[] = Array.isArray(body) ? body : [body]
    return new Map(entries.map((entry) => [memberOf(entry, 'id') ?? 0, entry]))
  } catch {
    return undefined
  }
}

function toReply(entry: unknown): RpcReply {
  const error = memberOf(entry, 'error')
  const result = memberOf(entry, 'result')
  if (error === undefined && result !== undefined) return { kind: 'result', result }
  const code = memberOf(error, 'code')
  const message = String(memberOf(error, 'message') ?? 'no reply')
  const reason = memberOf(memberOf(error, 'data'), 'reason')
  return {
    kind: 'error',
    code: typeof code === 'number' ? code : 0,
    message,
    reason: typeof reason === 'string' ? reason : reasonOfMessage(message),
  }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined

/** The words before a colon as one code: `nonce too low: address …` becomes `NonceTooLow`. */
export const reasonOfMessage = (message: string): string =>
  (message.split(':')[0] ?? '')
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
    .slice(0, maxReasonLength) || 'NoReason'

/** A summary's key, not a story. */
const maxReasonLength = 48
