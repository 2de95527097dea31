/**
 * An expected failure of IO, decoding or configuration. `code` is stable and listed in
 * `docs/reasons.md`; `details` holds what the caller does not have. Bad transactions are values,
 * not errors; broken invariants are `assert`.
 */
export abstract class DomainError<
  Code extends string = string,
  Details extends object = object,
> extends Error {
  abstract readonly code: Code
  readonly details: Details

  constructor(message: string, details: Details, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.details = details
  }
}

/** Ends a `switch` over a closed union: a new member fails to compile here. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}

/** Crashes when an invariant is broken. Never for input: input is refused, not asserted. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`defect: ${message}`)
}
