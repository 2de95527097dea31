import {
  isMistake,
  parseRpcBody,
  RpcError,
  type RpcMethod,
  type RpcRequest,
  type RpcResponse,
  rpcCodes,
  toErrorResponse,
  toFault,
  toJson,
  toResultResponse,
} from '#api'
import { fromUtf8, type Logger } from '#primitives'
import { type GatewayLimits, submissionMethods } from './limits.ts'

/** One finished call, for metrics; `outcome` is `ok` or the name of an error code. */
export type CallReport = {
  readonly method: string
  readonly outcome: string
  readonly seconds: number
}

/** What answers JSON-RPC bodies. */
export type RpcService = {
  readonly methods: Readonly<Record<string, RpcMethod>>
  readonly limits: GatewayLimits
  readonly logger: Logger
  readonly observe: (report: CallReport) => void
  /** Told of work that goes on although its caller was told that it takes too long. */
  readonly onOverdue: (work: Promise<unknown>) => void
}

/** An HTTP answer; no text where a body held only notifications. */
export type RpcAnswer = { readonly status: number; readonly text: string | undefined }

/**
 * Answers one body. A batch runs in its order, one call after another, so that transactions of one
 * sender arrive in theirs; no call's failure touches the next.
 *
 * @param signal - aborted when nobody waits for the answer; its reason is that of every call then.
 */
export async function answerRpc(
  service: RpcService,
  raw: Uint8Array,
  signal: AbortSignal,
): Promise<RpcAnswer> {
  const body = parseBody(raw)
  if (body instanceof RpcError) return refuse(200, body)
  const { bodyBytes } = service.limits
  const isSubmission = body.entries.every(
    (entry) => !isMistake(entry) && submissionMethods.includes(entry.method),
  )
  if (raw.length > bodyBytes && !isSubmission) return refuse(413, tooLarge(bodyBytes))
  const responses: RpcResponse[] = []
  for (const entry of body.entries) {
    const response = isMistake(entry)
      ? toErrorResponse(entry.id, toFault(entry.error))
      : await call(service, entry, signal)
    if (response) responses.push(response)
  }
  if (responses.length === 0) return { status: 204, text: undefined }
  return { status: 200, text: toJson(body.isBatch ? responses : responses[0]) }
}

/** An answer that carries nothing but one error. */
export const refuse = (status: number, error: RpcError): RpcAnswer => ({
  status,
  text: toJson(toErrorResponse(null, toFault(error))),
})

/** The error of a body over its limit. */
export const tooLarge = (limit: number): RpcError =>
  new RpcError(rpcCodes.InvalidRequest, `invalid request: the body is over ${limit} bytes`)

function parseBody(raw: Uint8Array) {
  try {
    return parseRpcBody(fromUtf8(raw))
  } catch {
    return new RpcError(rpcCodes.ParseError, 'parse error: the body is not UTF-8')
  }
}

async function call(
  service: RpcService,
  request: RpcRequest,
  signal: AbortSignal,
): Promise<RpcResponse | undefined> {
  const { id, method, params } = request
  const startMs = performance.now()
  const isKnown = Object.hasOwn(service.methods, method)
  const report = (outcome: string) =>
    service.observe({
      method: isKnown ? method : 'unknown',
      outcome,
      seconds: (performance.now() - startMs) / 1000,
    })
  try {
    if (!isKnown) throw methodNotFound(method)
    const run = service.methods[method] as RpcMethod
    const result = await withinTime(service, (ended) => run(params, ended), signal)
    report('ok')
    return id === undefined ? undefined : toResultResponse(id, result)
  } catch (thrown) {
    const fault = toFault(thrown)
    report(outcomeOf(fault.code))
    if (fault.code === rpcCodes.InternalError)
      service.logger.error('a method failed', { method, error: thrown })
    return id === undefined ? undefined : toErrorResponse(id, fault)
  }
}

const methodNotFound = (method: string): RpcError =>
  new RpcError(
    rpcCodes.MethodNotFound,
    `the method ${method.slice(0, 64)} does not exist or is not available`,
  )

/** A bounded label: services may use codes of their own. */
const outcomeOf = (code: number): string =>
  Object.entries(rpcCodes).find(([, known]) => known === code)?.[0] ?? 'Other'

/**
 * What the work gives, or -32002 when it takes too long. Then it is told to end; as long as it does
 * not, it counts as overdue.
 */
async function withinTime<T>(
  { limits, onOverdue }: RpcService,
  start: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const late = new AbortController()
  const ended = Promise.withResolvers<never>()
  const work = start(AbortSignal.any([signal, late.signal]))
  const timer = setTimeout(() => {
    const reason = new RpcError(rpcCodes.RequestTimeout, 'request timed out')
    late.abort(reason)
    ended.reject(reason)
    onOverdue(work)
  }, limits.methodTimeoutMs)
  return Promise.race([work, ended.promise]).finally(() => clearTimeout(timer))
}
