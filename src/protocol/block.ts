import { assert, type Hex, sha256Hex } from '#primitives'
import {
  type DecidedBlock,
  type L1Event,
  type Leaf,
  type Transaction,
  type TransactionResult,
  tryDecodeTransaction,
} from '#records'
import { nextDueMs } from './due.ts'
import type { Environment } from './environment.ts'
import { type Ledger, operatorsOf } from './ledger.ts'
import type { Outcome } from './outcome.ts'
import { freezeEpoch } from './rules/allocation/competition.ts'
import { drawAudits } from './rules/audits.ts'
import { applyChanges } from './rules/changes.ts'
import { endOverdueDeliveries } from './rules/deliveries.ts'
import { drawCommittees } from './rules/draw.ts'
import { advanceEpoch } from './rules/epochs.ts'
import { jailDoubleVoters } from './rules/jailing.ts'
import { appendLeaf } from './rules/outbox.ts'
import { advanceTasks } from './rules/phases.ts'
import { advanceSigning } from './rules/sessions.ts'
import type { ReplicatedService } from './service.ts'
import { serviceState, withServiceState } from './service-state.ts'
import { applyTransaction } from './transitions/apply.ts'

/** Work between the two halves of a block: deterministic, but slow or asynchronous. */
export type Computation = {
  readonly service: string
  /** Committed values only; its digest names the computation. */
  readonly input: Uint8Array
  readonly digest: Hex
  /** Places in the block of the calls that it executes. */
  readonly places: readonly number[]
}

/** A block whose transactions are applied and whose computations are fixed. */
export type BegunBlock = {
  readonly ledger: Ledger
  readonly block: DecidedBlock
  /** Its transactions; undefined where the bytes are none. */
  readonly transactions: readonly (Transaction | undefined)[]
  readonly results: readonly TransactionResult[]
  readonly computations: readonly Computation[]
  /** What the block has agreed on of L1, in order. */
  readonly l1Events: readonly L1Event[]
  /**
   * Whether nothing was due, nothing was taken and nobody was jailed: then the ledger stays the
   * very same.
   */
  readonly isIdle: boolean
}

/** Decodes and applies every transaction; fixes the inputs of what must be computed. Pure. */
export function beginBlock(
  ledger: Ledger,
  block: DecidedBlock,
  environment: Environment,
): BegunBlock {
  const transactions = block.transactions.map(tryDecodeTransaction)
  const isDue = (nextDueMs(ledger) ?? Infinity) <= block.timeMs
  const results: TransactionResult[] = []
  const calls = new Map<string, number[]>()
  const l1Events: L1Event[] = []
  let next = jailDoubleVoters(ledger, block.misbehaviour)
  const isQuiet = !isDue && next === ledger
  if (!isQuiet || transactions.length > 0) {
    const changed = applyChanges(next, block)
    next = advanceEpoch(freezeEpoch(changed, block), block)
  }
  for (const [place, transaction] of transactions.entries()) {
    const outcome = applyAt(place, next, transaction, block, environment)
    results.push(resultOf(outcome))
    if (!outcome.ok || !transaction) continue
    if (transaction.kind === 'l1-events')
      l1Events.push(...transaction.events.slice(0, eventsBetween(next, outcome.ledger)))
    next = outcome.ledger
    if (transaction.kind === 'randomness') next = drawAudits(drawCommittees(next, block), block)
    if (transaction.kind === 'call') placesOf(calls, transaction.service).push(place)
  }
  const isIdle = isQuiet && !results.some(({ ok }) => ok)
  if (isIdle) return { ledger, block, transactions, results, computations: [], l1Events, isIdle }
  const computations = [...calls].map(([service, places]) =>
    fixComputation(next, block, service, places, transactions, environment),
  )
  return { ledger: next, block, transactions, results, computations, l1Events, isIdle }
}

/**
 * Takes what the computations gave, then everything that falls due: phases of tasks, deliveries,
 * signing, the next checkpoint. Pure.
 *
 * @param outputs - shape [computations], in their order.
 */
export function endBlock(
  begun: BegunBlock,
  outputs: readonly Uint8Array[],
  environment: Environment,
): { readonly ledger: Ledger; readonly results: readonly TransactionResult[] } {
  assert(outputs.length === begun.computations.length, 'one output a computation')
  const { block } = begun
  const results = [...begun.results]
  if (begun.isIdle) return { ledger: begun.ledger, results }
  let next = begun.ledger
  for (const [order, computation] of begun.computations.entries()) {
    const ended = endComputation(next, computation, outputs[order] as Uint8Array, environment)
    next = ended.ledger
    for (const [call, place] of computation.places.entries())
      results[place] = ended.results[call] ?? { ok: false, reason: 'NotExecuted' }
  }
  const advanced = endOverdueDeliveries(advanceTasks(next, block, environment), block)
  return { ledger: advanceSigning(advanced, block), results }
}

/** The places of a service's calls, to add to. */
function placesOf(calls: Map<string, number[]>, service: string): number[] {
  const known = calls.get(service)
  if (known) return known
  const places: number[] = []
  calls.set(service, places)
  return places
}

/** How many L1 events the network has agreed on from one ledger to the next. */
const eventsBetween = (before: Ledger, after: Ledger): number =>
  after.chain.l1.events - before.chain.l1.events

/** One transaction of a block; randomness is the proposer's, and stands first. */
function applyAt(
  place: number,
  ledger: Ledger,
  transaction: Transaction | undefined,
  block: DecidedBlock,
  environment: Environment,
): Outcome {
  if (!transaction) return { ok: false, reason: 'BadEncoding' }
  if (transaction.kind === 'randomness' && place > 0) return { ok: false, reason: 'Misplaced' }
  return applyTransaction(ledger, transaction, block, environment)
}

function fixComputation(
  ledger: Ledger,
  block: DecidedBlock,
  name: string,
  places: readonly number[],
  transactions: readonly (Transaction | undefined)[],
  environment: Environment,
): Computation {
  const payloads = places.flatMap((place) => {
    const transaction = transactions[place]
    return transaction?.kind === 'call' ? [transaction.payload] : []
  })
  const facts = { height: block.height, timeMs: block.timeMs, randomness: ledger.chain.mix }
  const input = replicated(environment, name).begin(serviceState(ledger, name), facts, payloads)
  return { service: name, input, digest: sha256Hex(input), places }
}

function endComputation(
  ledger: Ledger,
  { service: name }: Computation,
  output: Uint8Array,
  environment: Environment,
): { readonly ledger: Ledger; readonly results: readonly TransactionResult[] } {
  const ended = replicated(environment, name).end(serviceState(ledger, name), output)
  const weights = blockWeights(ledger)
  const next = ended.leaves.reduce(
    (grown, draft) =>
      appendLeaf(grown, { ...draft, ...weights, service: name, rule: 'replicated', stakeWei: 0n })
        .ledger,
    withServiceState(ledger, ended.state),
  )
  return { ledger: next, results: ended.results }
}

/**
 * A decided block says no more than that more than two thirds of the validators stand behind it.
 */
function blockWeights(ledger: Ledger): Pick<Leaf, 'agreeingWeight' | 'committeeWeight'> {
  const validators = operatorsOf(ledger).filter(({ power }) => power > 0n).length
  return { agreeingWeight: Math.floor((2 * validators) / 3) + 1, committeeWeight: validators }
}

function replicated(environment: Environment, name: string): ReplicatedService {
  const service = environment.services.get(name)
  assert(service && 'begin' in service, `${name} is a replicated service`)
  return service
}

const resultOf = (outcome: TransactionResult): TransactionResult =>
  outcome.ok
    ? { ok: true }
    : {
        ok: false,
        reason: outcome.reason,
        ...(outcome.detail === undefined ? {} : { detail: outcome.detail }),
      }
