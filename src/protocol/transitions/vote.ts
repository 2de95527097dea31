import { isMoreThanTwoThirds } from '#primitives'
import type { Operator, Statement } from '#records'
import { type Ledger, operatorsOf, totalPower } from '../ledger.ts'
import { accept, type BlockFacts, type Outcome, refuse } from '../outcome.ts'
import { isParameter, isWithinBounds, parameter, parameterDefinitions } from '../parameters.ts'

/** Counts a vote for a parameter's new value; more than two thirds of the power schedule it. */
export function vote(
  ledger: Ledger,
  operator: Operator,
  { parameter: name, value }: Statement & { kind: 'vote' },
  block: BlockFacts,
): Outcome {
  if (!isParameter(name)) return refuse('UnknownParameter', name)
  if (!isWithinBounds(name, value)) {
    const { min, max } = parameterDefinitions[name]
    return refuse('OutOfBounds', `${name} is ${value}; allowed: ${min} to ${max}`)
  }
  const key = `${name}/${operator.id}`
  if (ledger.votes.get(key) === value) return refuse('AlreadyHeld')
  const voted: Ledger = { ...ledger, votes: ledger.votes.set(key, value) }
  const inFavour = operatorsOf(voted)
    .filter(({ id }) => voted.votes.get(`${name}/${id}`) === value)
    .reduce((sum, { power }) => sum + power, 0n)
  if (!isMoreThanTwoThirds(inFavour, totalPower(voted))) return accept(voted)
  const atMs = block.timeMs + parameter(ledger, 'voteDelayMs')
  return accept({
    ...voted,
    votes: operatorsOf(voted).reduce((table, { id }) => table.delete(`${name}/${id}`), voted.votes),
    scheduled: voted.scheduled.set(name, { value, atMs }),
  })
}
