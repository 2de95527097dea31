import { type DestinationStream, destination, pino } from 'pino'
import { DomainError, type Logger, toHex } from '#primitives'

/** How much is written: the named level and what is graver. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Fields whose names say that they are secret: never written, down to depth 3. */
const secretFields = [
  'privateKey',
  'secret',
  'secretKey',
  'secretShare',
  'seed',
  'mnemonic',
  'password',
  'passphrase',
  'token',
  'authorization',
  'keystore',
] as const

/**
 * A logger of JSON lines; each holds `fields` (such as the operator's id).
 *
 * @param stream - where lines go; standard error, written at once, unless told otherwise.
 */
export function createLogger(
  level: LogLevel,
  fields: Readonly<Record<string, unknown>>,
  stream: DestinationStream = destination({ dest: 2, sync: true }),
): Logger {
  const log = pino(
    {
      level,
      base: plainFields(fields),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: plainFields },
      redact: {
        paths: secretFields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[secret]',
      },
    },
    stream,
  )
  return {
    debug: (message, more = {}) => log.debug(more, message),
    info: (message, more = {}) => log.info(more, message),
    warn: (message, more = {}) => log.warn(more, message),
    error: (message, more = {}) => log.error(more, message),
  }
}

/** Most bytes of a field that are written as hex. */
const shownBytes = 64

const plainFields = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]))

/** Bigints, bytes and errors in a form that JSON has. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array)
    return value.length <= shownBytes ? toHex(value) : `${value.length} bytes`
  if (value instanceof Error) return describeError(value)
  return value
}

/** An error for the log: an expected one by its code, a defect with its stack. */
const describeError = (error: Error): Record<string, unknown> => ({
  name: error.name,
  message: error.message,
  ...(error instanceof DomainError
    ? { code: error.code, details: plainFields({ ...error.details }) }
    : { stack: error.stack }),
  ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
})
