import { type Client, createClient } from '#api'
import { DomainError, type Hex } from '#primitives'

/** Where a command writes its lines. */
export type Io = {
  /** What was asked for: standard output. */
  write(line: string): void
  /** What went wrong, and progress beside `--json`: standard error. */
  error(line: string): void
  /** Text that may overwrite itself, beside the rest; absent where nobody watches a terminal. */
  redraw?(text: string): void
}

/** What a command may know of its surroundings. */
export type Surroundings = {
  readonly io: Io
  readonly env: Readonly<Record<string, string | undefined>>
  /** Folder that relative paths start from. */
  readonly cwd: string
}

/** Exit codes of every command. */
export const exitCodes = { ok: 0, failed: 1, badUsage: 2 } as const

const defaultRpc = 'http://127.0.0.1:8545'

/** Options that every command which asks a gateway takes. */
export type GatewayOptions = {
  readonly rpc?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * A client of the gateways that `--rpc`, else `NODEOP_RPC`, else the devnet's default names.
 *
 * @throws UsageError when one is no HTTP URL.
 */
export function clientOf({ rpc }: GatewayOptions, { env }: Surroundings): Client {
  const [source, text] = rpc === undefined ? ['NODEOP_RPC', env.NODEOP_RPC] : ['--rpc', rpc]
  const urls = (text || defaultRpc).split(',').map((url) => url.trim())
  for (const url of urls) requireUrl(source ?? '--rpc', url)
  return createClient(urls)
}

/** @throws UsageError when the text is no HTTP URL. */
export function requireUrl(source: string, text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new UsageError(`${source} ${JSON.stringify(text)} is not allowed; allowed: http(s) URLs`)
}

/** @throws UsageError when the text is not so many bytes of hex. */
export function requireHex(source: string, text: string, bytes: number): Hex {
  const hex = text.toLowerCase()
  if (/^0x[0-9a-f]*$/.test(hex) && hex.length === 2 + 2 * bytes) return hex as Hex
  const allowed = `0x and ${2 * bytes} hexadecimal digits`
  throw new UsageError(`${source} ${JSON.stringify(text)} is not allowed; allowed: ${allowed}`)
}

/** Rows of text as columns of equal width. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, place) =>
    Math.max(...rows.map((row) => row[place]?.length ?? 0)),
  )
  return rows.map((row) =>
    row
      .map((cell, place) => cell.padEnd(widths[place] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** A command line that says something which is not allowed: exit code 2. */
export class UsageError extends DomainError<'BadUsage', object> {
  override readonly code = 'BadUsage'

  constructor(message: string) {
    super(message, {})
  }
}
