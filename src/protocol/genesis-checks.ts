import { DomainError } from '#primitives'
import {
  type Genesis,
  type GenesisOperator,
  maxCommittee,
  maxUint256,
  type ServiceGenesis,
} from '#records'
import { isCurvePoint } from '#threshold'
import type { Environment } from './environment.ts'
import { isParameter, isWithinBounds, parameterDefinitions } from './parameters.ts'

/** Most power of all operators together: what both consensus engines can count. */
const maxPower = 2n ** 60n
/** 100 %, in basis points. */
const wholeBps = 10_000

/**
 * Refuses what no network can run on: what would stop a later block, or be taken for something
 * else.
 *
 * @throws GenesisError naming the field and what is allowed.
 */
export function checkGenesis(genesis: Genesis, environment: Environment): void {
  checkOperators(genesis)
  checkAccounts(genesis)
  checkParameters(genesis)
  demandDistinct(
    'services',
    genesis.services.map(({ spec }) => spec.name),
  )
  for (const service of genesis.services) checkService(service, environment)
}

function checkOperators({ operators, threshold, groupKey }: Genesis): void {
  demand(operators.length > 0, 'operators', 'at least one')
  for (const operator of operators) checkOperator(operator)
  const keys = ['id', 'ledgerAddress', 'consensusKey', 'vrfKey', 'verifyingShare'] as const
  for (const key of keys)
    demandDistinct(
      `operators.${key}`,
      operators.map((operator) => operator[key]),
    )
  const power = operators.reduce((sum, one) => sum + one.power, 0n)
  demand(power <= maxPower, 'operators.power', `at most ${maxPower} together`)
  const isEnough = threshold * 3 > operators.length * 2 && threshold <= operators.length
  demand(isEnough, 'threshold', `more than 2/3 of ${operators.length}, at most all`)
  demand(isCurvePoint(groupKey), 'groupKey', 'a point of secp256k1')
}

function checkOperator({ id, power, verifyingShare }: GenesisOperator): void {
  demand(id >= 1, `operators.id ${id}`, '1 to 65535')
  demand(power >= 1n, `operators.power of ${id}`, 'at least 1')
  demand(isCurvePoint(verifyingShare), `verifyingShare of ${id}`, 'a point of secp256k1')
}

function checkAccounts({ accounts }: Genesis): void {
  demandDistinct(
    'accounts',
    accounts.map(({ account }) => account),
  )
  const total = accounts.reduce((sum, { balance }) => sum + balance, 0n)
  demand(total <= maxUint256, 'accounts.balance', 'less than 2^256 together')
}

function checkParameters({ parameters }: Genesis): void {
  demandDistinct(
    'parameters',
    parameters.map(({ name }) => name),
  )
  for (const { name, value } of parameters) {
    if (!isParameter(name)) throw new GenesisError(`unknown parameter ${name}`, { name })
    const { min, max } = parameterDefinitions[name]
    const isAllowed = isWithinBounds(name, value)
    demand(isAllowed, `parameter ${name}`, `${min} to ${max}, not ${value}`)
  }
}

/** Keys of states and scores hang on a service's name by a slash; L1 knows it as ASCII. */
const nameShape = /^[a-z][a-z0-9-]{0,30}$/

function checkService({ spec }: ServiceGenesis, { services }: Environment): void {
  const { name, mode, rule } = spec
  const field = `service ${name}`
  demand(nameShape.test(name), field, 'a name of a-z, 0-9 and -, at most 31, a letter first')
  demand(services.get(name)?.spec.mode === mode, field, `one that this binary has, as ${mode}`)
  demand((rule === 'replicated') === (mode === 'replicated'), `${field}: rule`, `one for ${mode}`)
  if (mode === 'replicated') return
  const { committee, commitMs, revealMs, toleranceBps, auditToleranceBps = 0 } = spec
  const isCommittee = committee >= 1 && committee <= maxCommittee
  demand(isCommittee, `${field}: committee`, `1 to ${maxCommittee}`)
  demand(commitMs >= 1 && revealMs >= 1, `${field}: commitMs, revealMs`, 'at least 1')
  demand(toleranceBps <= wholeBps, `${field}: toleranceBps`, `at most ${wholeBps}`)
  const isAllowed = auditToleranceBps <= wholeBps
  demand(isAllowed, `${field}: auditToleranceBps`, `at most ${wholeBps}`)
}

function demandDistinct(name: string, values: readonly (string | number)[]): void {
  const seen = new Set<string | number>()
  for (const value of values) {
    demand(!seen.has(value), name, `each once, and ${value} stands twice`)
    seen.add(value)
  }
}

function demand(condition: boolean, name: string, allowed: string): void {
  if (!condition) throw new GenesisError(`${name}; allowed: ${allowed}`, { name })
}

/** A genesis that no ledger can start from. */
export class GenesisError extends DomainError<'BadGenesis', { name: string }> {
  override readonly code = 'BadGenesis'
}
