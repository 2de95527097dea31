import { entryScale, micro, type OperatorId, type ServiceSpec } from '#records'
import { activeOperators, type Ledger } from '../../ledger.ts'
import { parameter } from '../../parameters.ts'
import { isCapable } from '../capable.ts'
import { standingCompetition } from './competition.ts'

/**
 * The share of each operator that can serve in a service's committees, in millionths of a place, as
 * they come to one committee's places together but for rounding: the allocation in force, projected
 * on who is there now. Nobody has less than the probe: who lost its work must be able to show that
 * it has recovered; but nothing goes to those who declared that they take no work. Before the first
 * allocation all are equal.
 *
 * @returns empty when nobody can serve.
 */
export function sharesOf(ledger: Ledger, spec: ServiceSpec): ReadonlyMap<OperatorId, number> {
  const resting = restingOperators(ledger)
  const candidates = activeOperators(ledger).filter(
    (one) => isCapable(one, spec) && !resting.includes(one.id),
  )
  const seats = Math.min(spec.committee, candidates.length)
  const allocated = allocatedShares(ledger, spec.name)
  const probe = Math.floor((parameter(ledger, 'probePpm') * seats) / candidates.length)
  const raw = candidates.map(({ id }) =>
    Math.max(probe, allocated ? (allocated.get(id) ?? 0) : micro),
  )
  const total = raw.reduce((sum, share) => sum + share, 0)
  return new Map(
    candidates.map(({ id }, place) => [
      id,
      total === 0 ? 0 : Math.floor(((raw[place] as number) * seats * micro) / total),
    ]),
  )
}

/** Those whose capacity in the allocation in force is nothing. */
function restingOperators(ledger: Ledger): readonly OperatorId[] {
  const standing = standingCompetition(ledger)
  if (!standing?.best) return []
  const { operators, capacity } = standing.programme
  return operators.filter((_, row) => capacity[row] === 0)
}

/** What the allocation in force gives each operator of one service; undefined before the first. */
export function allocatedShares(
  ledger: Ledger,
  service: string,
): ReadonlyMap<OperatorId, number> | undefined {
  const standing = standingCompetition(ledger)
  const column = standing?.programme.services.indexOf(service) ?? -1
  if (!standing?.best || column < 0) return undefined
  const { start, entries } = standing.best.proposal
  return new Map(
    standing.programme.operators.map((id, row) => {
      const mine = entries.subarray(start[row], start[row + 1])
      const entry = mine.find((one) => Math.floor(one / entryScale) === column) ?? 0
      return [id, entry % entryScale]
    }),
  )
}
