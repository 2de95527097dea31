// Traces in Apalache's "Informal Trace Format", as Quint writes them: JSON in which integers, sets,
// maps and tuples are tagged.

/** A value of the specification: integers as numbers, sets and tuples as lists, maps as `Map`. */
export type Plain =
  | number
  | string
  | boolean
  | readonly Plain[]
  | ReadonlyMap<Plain, Plain>
  | { readonly [field: string]: Plain }

/** The states of one trace; variables by their bare names, without the modules they live in. */
export function readTrace(text: string): unknown {
  const { states } = JSON.parse(text) as { states: Record<string, unknown>[] }
  return states.map((state) =>
    Object.fromEntries(
      Object.entries(state)
        .filter(([name]) => !name.startsWith('#'))
        .map(([name, value]) => [name.split('::').at(-1), toPlain(value)]),
    ),
  )
}

function toPlain(value: unknown): Plain {
  if (Array.isArray(value)) return value.map(toPlain)
  if (typeof value !== 'object' || value === null) return value as Plain
  const fields = value as Record<string, unknown>
  if ('#bigint' in fields) return Number(fields['#bigint'])
  if ('#tup' in fields) return toPlain(fields['#tup'])
  if ('#set' in fields) return toPlain(fields['#set'])
  if ('#map' in fields) return new Map(toPlain(fields['#map']) as [Plain, Plain][])
  return Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, toPlain(one)]))
}
