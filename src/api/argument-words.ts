import type { z } from 'zod'

type Issue = z.core.$ZodRawIssue

/**
 * What is wrong with a value, in words like those of the Ethereum methods; for all that a schema
 * has no words of its own for.
 */
export function wordsOf(issue: Issue): string {
  if (issue.input === undefined) return 'is missing'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${kinds[issue.expected] ?? issue.expected}`
    case 'too_small':
      return `must be at least ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    case 'unrecognized_keys':
      return `must have no ${issue.keys.map((key) => key.slice(0, 64)).join(', ')}`
    default:
      return 'must be another value'
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  int: 'an integer',
  number: 'an integer',
  object: 'an object',
  boolean: 'true or false',
}

/**
 * The first thing that a schema found wrong with positional parameters, in one line.
 *
 * @param names - of the parameters, by position.
 */
export function describeArguments(
  error: z.ZodError,
  names: readonly string[],
  given: readonly unknown[],
): string {
  const missing = names.findIndex((_, place) => given[place] === undefined)
  const [issue] = error.issues
  const [first, ...rest] = issue?.path ?? []
  if (typeof first !== 'number')
    return missing < 0 || given.length > names.length
      ? `too many arguments, want at most ${names.length}`
      : `missing value for required argument ${missing} (${names[missing]})`
  if (given[first] === undefined)
    return `missing value for required argument ${first} (${names[first]})`
  return `invalid argument ${first}: ${names[first]}${rest.map(member).join('')} ${issue?.message}`
}

const member = (key: PropertyKey): string =>
  typeof key === 'number' ? `[${key}]` : `.${String(key)}`
