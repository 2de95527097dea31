import { assert, type Hex, sha256Hex } from '#primitives'
import {
  type DecidedBlock,
  type Transaction,
  type TransactionResult,
  tryDecodeTransaction,
} from '#records'
import { nextDueMs } from './due.ts'
import type { Environment } from './environment.ts'
import type { Ledger } from './ledger.ts'
import { applyChanges } from './rules/changes.ts'
import { drawCommittees } from './rules/draw.ts'
import { advanceEpoch } from './rules/epochs.ts'
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
}

/** Decodes and applies every transaction; fixes the inputs of what must be computed. Pure. */
export function beginBlock(
  ledger: Ledger,
  block: DecidedBlock,
  environment: Environment,
): BegunBlock {
  const decoded = block.transactions.map(tryDecodeTransaction)
  const isIdle = decoded.length === 0 && (nextDueMs(ledger) ?? Infinity) > block.timeMs
  if (isIdle) return { ledger, block, transactions: [], results: [], computations: [] }
  const results: TransactionResult[] = []
  const calls = new Map<string, number[]>()
  let next = advanceEpoch(applyChanges(ledger, block), block)
  for (const [place, transaction] of decoded.entries()) {
    const isMisplaced = transaction?.kind === 'randomness' && place > 0
    const outcome =
      transaction && !isMisplaced
        ? applyTransaction(next, transaction, block, environment)
        : ({ ok: false, reason: isMisplaced ? 'Misplaced' : 'BadEncoding' } as const)
    results.push(resultOf(outcome))
    if (!outcome.ok || !transaction) continue
    next = outcome.ledger
    if (transaction.kind === 'randomness') next = drawCommittees(next, block)
    if (transaction.kind === 'call')
      calls.set(transaction.service, [...(calls.get(transaction.service) ?? []), place])
  }
  const computations = [...calls].map(([service, places]) =>
    fixComputation(next, block, service, places, decoded, environment),
  )
  return { ledger: next, block, transactions: decoded, results, computations }
}

/**
 * Takes what the computations gave, then everything that falls due: phases of tasks, signing, the next
 * checkpoint. Pure.
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
  const isIdle =
    block.transactions.length === 0 && (nextDueMs(begun.ledger) ?? Infinity) > block.timeMs
  if (isIdle) return { ledger: begun.ledger, results: [] }
  const results = [...begun.results]
  let next = begun.ledger
  for (const [order, computation] of begun.computations.entries()) {
    const ended = endComputation(next, computation, outputs[order] as Uint8Array, environment)
    next = ended.ledger
    for (const [call, place] of computation.places.entries())
      results[place] = ended.results[call] ?? { ok: false, reason: 'NotExecuted' }
  }
  return { ledger: advanceSigning(advanceTasks(next, block, environment), block), results }
}

function fixComputation(
  ledger: Ledger,
  block: DecidedBlock,
  name: string,
  places: readonly number[],
  decoded: readonly (Transaction | undefined)[],
  environment: Environment,
): Computation {
  const payloads = places.flatMap((place) => {
    const transaction = decoded[place]
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
  const next = ended.leaves.reduce(
    (grown, draft) =>
      appendLeaf(grown, {
        ...draft,
        service: name,
        rule: 'replicated',
        agreeingWeight: ledger.operators.size,
        committeeWeight: ledger.operators.size,
        stakeWei: 0n,
      }).ledger,
    withServiceState(ledger, ended.state),
  )
  return { ledger: next, results: ended.results }
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
