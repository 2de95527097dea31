import type { Operator, ServiceSpec } from '#records'

/** What a place costs an operator by its own word, in wei; nothing where it says nothing. */
export const declaredCost = (
  { declared }: Pick<Operator, 'declared'>,
  { name }: Pick<ServiceSpec, 'name'>,
): bigint => declared?.costs.find(({ service }) => service === name)?.cost ?? 0n

/** Places that an operator takes in an epoch: what it declares, capped for all. */
export const declaredCapacity = (
  { declared }: Pick<Operator, 'declared'>,
  mostPlaces: number,
): number => Math.min(mostPlaces, declared?.capacity ?? mostPlaces)

/**
 * The declared group of each operator, from 0 in order of appearance; −1 for one that names none,
 * or is alone in it.
 */
export function declaredGroups(operators: readonly Pick<Operator, 'declared'>[]): {
  readonly group: Int32Array
  readonly groups: number
} {
  const names = operators.map(({ declared }) => declared?.group ?? '')
  const isShared = (name: string) => names.indexOf(name) !== names.lastIndexOf(name)
  const shared = [...new Set(names)].filter((name) => name !== '' && isShared(name))
  return {
    group: Int32Array.from(names, (name) => shared.indexOf(name)),
    groups: shared.length,
  }
}
