// What honest operators say to a network of ledgers, step by step: for tests that want a ledger in
// a certain state.
import assert from 'node:assert/strict'
import { type Hex, toHex } from '#primitives'
import { type Duty, duties, nextDueMs, taskOf } from '#protocol'
import {
  type CheckpointRecord,
  type CheckpointRecorded,
  chainL1Digest,
  type Deposited,
  emptyL1Digest,
  type L1Event,
  type LeafExecuted,
  type NonceCommitment,
  type OperatorId,
  resultDigest,
  type Statement,
  type TaskRequest,
  type Transaction,
  type TransactionResult,
} from '#records'
import { nonceCommitment, signShare } from '#threshold'
import { instanceOf, type LedgerNetwork, seededBytes } from './ledger-network.ts'

/** Where all test operators' nonces come from. */
export const nonceSeed = toHex(seededBytes(99)(32))
/** The salt of all test results. */
export const testSalt = toHex(new Uint8Array(32).fill(5))

/** Reason codes of a block's results; 'ok' for what was taken. */
export const reasonsOf = (results: readonly TransactionResult[]): readonly string[] =>
  results.map((result) => (result.ok ? 'ok' : result.reason))

/** A cadence slow enough to let a test agree on two tasks before the cut. */
export const slowCuts = [{ name: 'checkpointIntervalMs', value: 3_000n }]

/** Every operator says which instance it is: from then on a report without news is refused. */
export const introduce = (network: LedgerNetwork): void => {
  network.block(network.operators.map(({ id }) => network.report(id, [])))
}

const made = new Map<string, NonceCommitment>()

/** An operator's nonce commitment; made once, since it costs milliseconds. */
export function nonceOf(
  network: LedgerNetwork,
  id: OperatorId,
  index: number,
  instance: Hex = instanceOf(id),
): NonceCommitment {
  const key = network.operators[id - 1]?.key ?? assert.fail()
  const name = `${key.groupKey}/${id}/${instance}/${index}`
  const known = made.get(name) ?? nonceCommitment(key, nonceSeed, instance, index)
  made.set(name, known)
  return known
}

/** Every operator publishes its next nonces, so that sessions can open. */
export const publishNonces = (network: LedgerNetwork, count = 4): Transaction[] =>
  network.operators.map(({ id }) => {
    const from = network.ledger.nonces.get(String(id))?.next ?? 0
    const commitments = Array.from({ length: count }, (_, i) => nonceOf(network, id, from + i))
    return network.report(id, [{ kind: 'nonces', commitments }])
  })

/** An operator's share of a session that waits for it. */
export function shareOf(
  network: LedgerNetwork,
  id: OperatorId,
  { session }: Duty & { kind: 'sign' },
  instance: Hex = instanceOf(id),
): Statement & { kind: 'share' } {
  const { key } = network.operators[id - 1] ?? assert.fail()
  const { checkpoint, attempt } = session
  const share = signShare({ key, session, seed: nonceSeed, instance })
  return { kind: 'share', checkpoint, attempt, share }
}

/** Reports of what each operator answers to its duties; silent where it answers nothing. */
export const answers = (
  network: LedgerNetwork,
  answer: (id: OperatorId, duty: Duty) => readonly Statement[],
): (Transaction & { kind: 'report' })[] =>
  network.operators.flatMap(({ id }) => {
    const said = duties(network.ledger, id, network.timeMs).flatMap((duty) => answer(id, duty))
    return said.length > 0 ? [network.report(id, said)] : []
  })

/** Reports with all shares that are owed. */
export const shares = (network: LedgerNetwork) =>
  answers(network, (id, duty) => (duty.kind === 'sign' ? [shareOf(network, id, duty)] : []))

/** The result of an operator, in one byte or more; undefined for one that is silent. */
export type ResultOf = (id: OperatorId) => number | Uint8Array | undefined

/** The commit or the reveal that a duty asks for. */
export function taskStatement(
  id: OperatorId,
  { kind, task }: Duty & { kind: 'execute' | 'reveal' },
  value: number | Uint8Array,
): Statement {
  const result = typeof value === 'number' ? new Uint8Array([value]) : value
  const said = { task: task.id, attempt: task.attempt }
  return kind === 'execute'
    ? {
        kind: 'commit',
        ...said,
        digest: resultDigest({ ...said, operator: id, result, salt: testSalt }),
      }
    : { kind: 'reveal', ...said, result, salt: testSalt }
}

const saying = (kind: 'execute' | 'reveal') => (network: LedgerNetwork, resultOf: ResultOf) =>
  answers(network, (id, duty) => {
    const value = resultOf(id)
    const isAsked = duty.kind === kind && value !== undefined
    return isAsked ? [taskStatement(id, duty, value)] : []
  })

/** Reports with all commits, or all reveals, that are owed. */
export const commits = saying('execute')
export const reveals = saying('reveal')

/** Takes a new task as far as its reveals go; gives its id. */
export function runTask(
  network: LedgerNetwork,
  resultOf: ResultOf = () => 7,
  changes: Partial<TaskRequest> = {},
): Hex {
  const task = network.task(changes)
  assert.deepEqual(reasonsOf(network.block([task])), ['ok'])
  network.block()
  network.block(commits(network, resultOf))
  network.block(reveals(network, resultOf))
  return network.idOf(task)
}

/** Takes a new task to its agreed result; gives its id. */
export function agreeOnTask(
  network: LedgerNetwork,
  resultOf: ResultOf = () => 7,
  changes: Partial<TaskRequest> = {},
): Hex {
  const id = runTask(network, resultOf, changes)
  assert.equal(taskOf(network.ledger, id)?.status, 'agreed')
  return id
}

/** Cuts the next checkpoint, when that is due. Its signers' nonces must be there. */
export function cut(network: LedgerNetwork): CheckpointRecord {
  const dueMs = nextDueMs(network.ledger) ?? assert.fail('no checkpoint is due')
  network.block([], Math.max(1, dueMs - network.timeMs))
  assert.equal(network.ledger.sessions.size, 1, 'a session is open')
  return newestCheckpoint(network)
}

/** Cuts and signs the next checkpoint. */
export function certify(network: LedgerNetwork): CheckpointRecord {
  cut(network)
  network.block(shares(network))
  const entry = newestCheckpoint(network)
  assert.equal(entry.status, 'certified')
  return entry
}

export const newestCheckpoint = (network: LedgerNetwork): CheckpointRecord =>
  network.ledger.checkpoints.get(String(network.ledger.chain.cutIndex)) ?? assert.fail()

const position = { block: 5, transaction: emptyL1Digest, logIndex: 0 }

/** L1 has recorded a checkpoint: in time, by its first owner, unless `changes` says otherwise. */
export const recorded = (
  { checkpoint: { index, size, root, startS, submitters } }: CheckpointRecord,
  changes: Partial<CheckpointRecorded> = {},
): CheckpointRecorded => ({
  kind: 'checkpoint-recorded',
  ...position,
  ...{ index, size, root },
  submitter: `0x${'11'.repeat(20)}`,
  operator: submitters[0] ?? 0,
  window: 0,
  timeS: startS,
  ...changes,
})

/** L1 has executed the leaf of a task. */
export const executed = (
  network: LedgerNetwork,
  task: Hex,
  changes: Partial<LeafExecuted> = {},
): LeafExecuted => ({
  kind: 'leaf-executed',
  ...position,
  leafIndex: taskOf(network.ledger, task)?.leafIndex ?? assert.fail(),
  subject: task,
  success: true,
  executor: `0x${'22'.repeat(20)}`,
  ...changes,
})

/** L1 has taken a deposit. */
export const deposited = (account: Hex, amountWei: bigint): Deposited => ({
  kind: 'deposited',
  ...position,
  account,
  amountWei,
})

/** A view of L1 that ends after these events. */
export const viewOf = (
  network: LedgerNetwork,
  events: readonly L1Event[],
): Statement & { kind: 'view' } => {
  const { digest, events: agreed } = network.ledger.chain.l1
  return {
    kind: 'view',
    view: {
      block: 9,
      events: agreed + events.length,
      digest: events.reduce(chainL1Digest, digest),
      fork: false,
    },
  }
}

/** The L1 events, vouched for by everyone, in one block after the views. */
export function vouch(network: LedgerNetwork, events: readonly L1Event[]): void {
  const view = viewOf(network, events)
  network.block(network.operators.map(({ id }) => network.report(id, [view])))
  assert.deepEqual(reasonsOf(network.block([{ kind: 'l1-events', events }])), ['ok'])
}
