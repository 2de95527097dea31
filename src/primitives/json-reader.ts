/** Makes the error of a file from what is wrong in it. */
export type Faulty = (problem: string) => Error

/** One object of a JSON file, which knows where it stands. */
export type JsonReader = {
  /** @throws for a field of another name. */
  only(...fields: readonly string[]): void
  has(field: string): boolean
  /** A finite number. @throws when it is none, or missing without an `otherwise`. */
  number(field: string, otherwise?: number): number
  /** A text that is not empty. */
  text(field: string): string
  /** A list of texts; none where the field is missing. */
  texts(field: string): readonly string[]
  /** One of these words; the first where there is none. */
  oneOf<const W extends string>(field: string, words: readonly [W, ...W[]]): W
  /** A list of objects, at least one. */
  list(field: string): JsonReader[]
  /** The object in a field. */
  within(field: string): JsonReader
  /** Names in the object in a field; undefined when that is no object. */
  keysOf(field: string): readonly string[] | undefined
  /** What a named entry is when the field has none. @throws without an `otherwise`. */
  missing(field: string, name: string, otherwise?: number): number
  /** The error that names the place. */
  fault(field: string, rule: string): Error
}

/** @throws what `faulty` makes, for a value that is no object. */
export function createJsonReader(value: unknown, faulty: Faulty, path = ''): JsonReader {
  if (!isObject(value)) throw faulty(`${path || 'the file'}: must be an object`)
  const placeOf = (field: string) => (path ? `${path}.${field}` : field)
  const fault = (field: string, rule: string) => faulty(`${placeOf(field)}: ${rule}`)
  const has = (field: string) => Object.hasOwn(value, field)
  const missing = (field: string, name: string, otherwise: number | undefined): number => {
    if (otherwise !== undefined) return otherwise
    throw fault(field, `must say how much ${JSON.stringify(name)}`)
  }
  return {
    fault,
    has,
    missing,
    only(...fields) {
      // Order: as in the file, so that its first odd field is named.
      const [unknown] = Object.keys(value).filter((key) => !fields.includes(key))
      if (unknown !== undefined) throw fault(unknown, `is not known; allowed: ${fields.join(', ')}`)
    },
    number(field, otherwise) {
      if (!has(field) && otherwise !== undefined) return otherwise
      const given = value[field]
      if (typeof given === 'number' && Number.isFinite(given)) return given
      throw fault(field, `must be a finite number, is ${JSON.stringify(given) ?? 'missing'}`)
    },
    text(field) {
      const given = value[field]
      if (typeof given === 'string' && given !== '') return given
      throw fault(field, `must be a text, is ${JSON.stringify(given) ?? 'missing'}`)
    },
    texts(field) {
      const given = has(field) ? value[field] : []
      if (Array.isArray(given) && given.every((one) => typeof one === 'string')) return given
      throw fault(field, `must be a list of texts, is ${JSON.stringify(given)}`)
    },
    oneOf(field, words) {
      const given = has(field) ? value[field] : words[0]
      const word = words.find((allowed) => allowed === given)
      if (word !== undefined) return word
      throw fault(field, `must be one of ${words.join(', ')}, is ${JSON.stringify(given)}`)
    },
    list(field) {
      const given = value[field]
      if (!Array.isArray(given) || given.length === 0)
        throw fault(field, 'must be a list with at least one entry')
      return given.map((entry, at) => createJsonReader(entry, faulty, `${placeOf(field)}[${at}]`))
    },
    within: (field) => createJsonReader(value[field], faulty, placeOf(field)),
    // Order: as in the file.
    keysOf: (field) => (isObject(value[field]) ? Object.keys(value[field]) : undefined),
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
