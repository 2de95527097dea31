/** What one gateway takes in before it refuses: against exhaustion by a hostile client. */
export type GatewayLimits = {
  /** Bytes of an ordinary body, and of one whose every call submits something. */
  readonly bodyBytes: number
  readonly submissionBytes: number
  /** Bytes of all headers of a request. */
  readonly headerBytes: number
  /** Time in which a request must have arrived, and a method must have answered. */
  readonly requestTimeoutMs: number
  readonly methodTimeoutMs: number
  /** Requests in hand at once; more are told to come back. */
  readonly requests: number
  /** Open connections; more are dropped. */
  readonly connections: number
}

/** What holds where nothing else is configured. */
export const defaultLimits: GatewayLimits = {
  bodyBytes: 64 * 1024,
  submissionBytes: 1024 * 1024,
  headerBytes: 16 * 1024,
  requestTimeoutMs: 10_000,
  methodTimeoutMs: 10_000,
  requests: 256,
  connections: 900,
}

/** Methods whose body may be large: a deployment's code comes in one. */
export const submissionMethods: readonly string[] = ['eth_sendRawTransaction', 'nodeop_sendTask']

/** Hosts that a request may name when nothing else is configured: this machine. */
export const loopbackHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/**
 * Whether a `Host` header names an allowed host, whatever its port. A browser that was led here by
 * a name of someone else's (DNS rebinding) still sends that name.
 *
 * @param allowed - host names without port; `*` allows all.
 */
export function isAllowedHost(header: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.includes('*')) return true
  const name = header?.toLowerCase().replace(/:\d{1,5}$/, '')
  return name !== undefined && allowed.includes(name)
}
