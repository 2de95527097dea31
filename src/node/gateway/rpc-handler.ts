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
}

/** An HTTP answer; no text where a body held only notifications. */
export type RpcAnswer = { readonly status: number; readonly text: string | undefined }

/**
 * Answers one body. A batch runs in its order, one call after another, so that transactions of one
 * sender arrive in theirs; no call's failure touches the next.
 */
export async function answerRpc(service: RpcService, raw: Uint8Array): Promise<RpcAnswer> {
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
      : await call(service, entry)
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

async function call(service: RpcService, request: RpcRequest): Promise<RpcResponse | undefined> {
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
    const result = await withinTime(run(params), service.limits.methodTimeoutMs)
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

/** The promise's value, or -32002 when it takes too long; the work itself is not stopped. */
function withinTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new RpcError(rpcCodes.RequestTimeout, 'request timed out')),
    limitMs,
  )
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}
