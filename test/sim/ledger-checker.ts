import type { Hex } from '#primitives'
import { type Ledger, operatorsOf, taskOf } from '#protocol'
import {
  type CheckpointRecord,
  checkpointMessage,
  type OperatorId,
  type Session,
  type TransactionResult,
  taskDigest,
} from '#records'
import { sessionDigest, verifyGroupSignature } from '#threshold'
import { totalWei } from '../support/ledger-network.ts'
import type { Block } from './block.ts'
import type { Checker, Property } from './checker.ts'
import { keyOf, type World } from './world.ts'

/** What has to be remembered to check a ledger. */
export type LedgerMemory = {
  /** Heights that were looked at. */
  height: number
  before: Ledger
  readonly checkpoints: Map<number, CheckpointRecord>
  readonly sessionOfNonce: Map<string, string>
  readonly accepted: Set<Hex>
  readonly ended: Set<Hex>
  /** Indices of certified checkpoints. */
  readonly certified: Set<number>
  /** What correct operators have signed with each nonce. */
  readonly digestOfNonce: Map<string, Hex>
}

/** Nothing seen but the genesis. */
export const createLedgerMemory = (genesis: Ledger): LedgerMemory => ({
  ...{ height: 0, before: genesis, checkpoints: new Map(), sessionOfNonce: new Map() },
  ...{ accepted: new Set(), ended: new Set(), certified: new Set(), digestOfNonce: new Map() },
})

/** Checks the ledger that a decided block left, once. */
export function checkLedger(
  memory: LedgerMemory,
  { checker, peers }: World,
  block: Block,
  ledger: Ledger,
  results: readonly TransactionResult[],
): void {
  if (block.height !== memory.height + 1) return
  memory.height = block.height
  const report = (property: Property, who: Hex) =>
    void checker.violations.push({ property, height: block.height, who })
  if (totalWei(ledger) !== ledger.chain.supply) report('conservation', '0x')
  if (!areCheckpointsGood(memory, ledger)) report('checkpoints', '0x')
  for (const culprit of reusedNonces(memory, ledger)) report('signed-once', keyOf(culprit - 1))
  for (const { id, status } of operatorsOf(ledger)) {
    const isHonest = peers[id - 1]?.isHonest ?? false
    const isConvicted = block.misbehaviour.some(({ first }) => first.validator === keyOf(id - 1))
    if (isHonest ? status !== 'active' : isConvicted && status !== 'jailed')
      report('accountability', keyOf(id - 1))
  }
  if (!areTasksKept(memory, block, ledger, results)) report('tasks', '0x')
  memory.before = ledger
}

/** Checks that a correct operator signs at most one thing with a nonce, across any crash. */
export function checkShare(
  { digestOfNonce, height }: LedgerMemory,
  { violations }: Checker,
  operator: OperatorId,
  session: Session,
): void {
  const nonce = session.signers.find((signer) => signer.operator === operator)?.nonce.hiding
  const digest = sessionDigest(session)
  const name = `${operator}/${nonce}`
  if ((digestOfNonce.get(name) ?? digest) !== digest)
    violations.push({ property: 'signed-once', height, who: keyOf(operator - 1) })
  digestOfNonce.set(name, digest)
}

/** What was cut stays, grows, and is certified by the group's key. */
function areCheckpointsGood(memory: LedgerMemory, ledger: Ledger): boolean {
  const { constants, chain, checkpoints } = ledger
  if (chain.landed.index < memory.before.chain.landed.index) return false
  for (const entry of checkpoints.values()) {
    const { checkpoint, signature } = entry
    const known = memory.checkpoints.get(checkpoint.index)
    const message = checkpointMessage(constants.domain, checkpoint)
    if (known && checkpointMessage(constants.domain, known.checkpoint) !== message) return false
    const older = memory.checkpoints.get(checkpoint.index - 1)
    if (older && older.checkpoint.size > checkpoint.size) return false
    if (signature && !known?.signature)
      if (!verifyGroupSignature(constants.groupKey, message, signature)) return false
    if (signature) memory.certified.add(checkpoint.index)
    memory.checkpoints.set(checkpoint.index, entry)
  }
  return true
}

/** Operators whose nonce is in two sessions. */
function reusedNonces({ sessionOfNonce }: LedgerMemory, { sessions }: Ledger): readonly number[] {
  const reused: number[] = []
  for (const { checkpoint, attempt, signers } of sessions.values())
    for (const { operator, nonce } of signers) {
      const session = `${checkpoint}/${attempt}`
      const name = `${operator}/${nonce.hiding}`
      if ((sessionOfNonce.get(name) ?? session) !== session) reused.push(operator)
      sessionOfNonce.set(name, session)
    }
  return reused
}

/** An accepted task is there until it has ended with a recorded outcome, and accepted once. */
function areTasksKept(
  { accepted, ended, before }: LedgerMemory,
  block: Block,
  ledger: Ledger,
  results: readonly TransactionResult[],
): boolean {
  for (const id of before.endedTasks.keys()) ended.add(id as Hex)
  for (const id of ledger.endedTasks.keys()) ended.add(id as Hex)
  for (const [place, one] of block.transactions.entries())
    if (one.kind === 'task' && results[place]?.ok) {
      const id = taskDigest(ledger.constants.network, one.request)
      if (accepted.has(id)) return false
      accepted.add(id)
    }
  return [...accepted].every((id) => taskOf(ledger, id) !== undefined || ended.has(id))
}
