import { checkpointMessage, type Operator, type OperatorId, type Session } from '#records'
import { aggregate, judgeShares } from '#threshold'
import { type Ledger, operatorOf, operatorsOf, withChain, withOperator } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { parameter } from '../parameters.ts'
import {
  abandonCheckpoint,
  checkpointOf,
  cutCheckpoint,
  nextCutMs,
  withCheckpoint,
} from './checkpoints.ts'
import { jail } from './jailing.ts'
import { canSign, chooseSigners, spendNonces } from './signers.ts'

/** Answers that an operator may owe before the count stops rising: it is one byte. */
const maxSilent = 255
/**
 * Attempts on one checkpoint; each costs nonces, and whoever fails one is asked last in the next.
 */
const maxAttempts = 16

/**
 * Everything that signing owes at the end of a block: finished sessions become certificates, late
 * ones get a successor with fresh nonces, and a checkpoint is cut when it is due.
 */
export function advanceSigning(ledger: Ledger, block: BlockFacts): Ledger {
  const advanced = [...ledger.sessions.values()].reduce(
    (next, session) => advanceSession(next, session, block),
    ledger,
  )
  return isCutDue(advanced, block) ? signNewest(advanced, block) : advanced
}

/** When a session will be late: by then its shares are in, or somebody is silent. */
export const sessionDueMs = (ledger: Ledger, session: Session): number =>
  session.openedMs + parameter(ledger, 'sessionMs')

function advanceSession(ledger: Ledger, session: Session, block: BlockFacts): Ledger {
  if (session.signers.every(({ share }) => share !== undefined))
    return concludeSession(ledger, session, block)
  const hadBlocks = block.height - session.openedHeight >= parameter(ledger, 'sessionBlocks')
  const isLate = hadBlocks && block.timeMs >= sessionDueMs(ledger, session)
  return isLate ? retry(blameSilent(ledger, session), session, block) : ledger
}

/** Aggregates a complete session; if that fails, the shares that are bad cost their operators. */
function concludeSession(ledger: Ledger, session: Session, block: BlockFacts): Ledger {
  const signature = aggregate(session, ledger.constants.groupKey)
  const entry = checkpointOf(ledger, session.checkpoint)
  if (!signature || !entry) return retry(jailBad(ledger, session), session, block)
  const certified = withCheckpoint(closeSession(ledger, session), {
    ...entry,
    status: 'certified',
    signature,
    certifiedMs: block.timeMs,
  })
  const { windows } = ledger.chain
  const isFirst = windows?.certifiedMs === 0 && windows.first <= session.checkpoint
  const timed = isFirst
    ? withChain(certified, { windows: { ...windows, certifiedMs: block.timeMs } })
    : certified
  return session.signers.reduce(
    (next, { operator }) => changeOperator(next, operator, { silentSessions: 0 }),
    timed,
  )
}

/** Who answered nothing ranks last from now on. */
const blameSilent = (ledger: Ledger, session: Session): Ledger =>
  session.signers
    .filter(({ share }) => share === undefined)
    .reduce((next, { operator }) => {
      const silent = operatorOf(next, operator)?.silentSessions ?? 0
      return changeOperator(next, operator, { silentSessions: Math.min(silent + 1, maxSilent) })
    }, ledger)

function jailBad(ledger: Ledger, session: Session): Ledger {
  const verifyingShares = new Map(
    operatorsOf(ledger).map(({ id, verifyingShare }) => [id, verifyingShare]),
  )
  return judgeShares(session, ledger.constants.groupKey, verifyingShares).bad.reduce(jail, ledger)
}

/**
 * A new attempt with fresh nonces: on a newer checkpoint when one is due, else on the same. A
 * checkpoint that failed too often is given up, and the next one waits a full interval.
 */
function retry(ledger: Ledger, session: Session, block: BlockFacts): Ledger {
  const closed = closeSession(ledger, session)
  const abandoned = abandonCheckpoint(closed, session.checkpoint)
  if (session.attempt >= maxAttempts) return withChain(abandoned, { cutMs: block.timeMs })
  const hasGrown = closed.chain.outboxSize > closed.chain.cutSize
  if (!canSign(closed) || (hasGrown && isCutDue(abandoned, block))) return abandoned
  return openSession(closed, session.checkpoint, session.attempt + 1, block)
}

const isCutDue = (ledger: Ledger, block: BlockFacts): boolean => {
  const dueMs = nextCutMs(ledger)
  return dueMs !== undefined && block.timeMs >= dueMs
}

const signNewest = (ledger: Ledger, block: BlockFacts): Ledger => {
  const cut = cutCheckpoint(ledger, block)
  return openSession(cut, cut.chain.cutIndex, 1, block)
}

/** Opens a session: message, signers and nonces are fixed, and those nonces used up. */
function openSession(ledger: Ledger, index: number, attempt: number, block: BlockFacts): Ledger {
  const entry = checkpointOf(ledger, index)
  if (!entry) return ledger
  const signers = chooseSigners(ledger, index, attempt)
  const session: Session = {
    checkpoint: index,
    attempt,
    message: checkpointMessage(ledger.constants.domain, entry.checkpoint),
    signers,
    openedHeight: block.height,
    openedMs: block.timeMs,
  }
  const spent = spendNonces(ledger, signers)
  return { ...spent, sessions: spent.sessions.set(String(index), session) }
}

/** The ledger without a session that is over. */
export const closeSession = (ledger: Ledger, session: Session): Ledger => ({
  ...ledger,
  sessions: ledger.sessions.delete(String(session.checkpoint)),
})

function changeOperator(ledger: Ledger, id: OperatorId, changes: Partial<Operator>): Ledger {
  const operator = operatorOf(ledger, id)
  return operator ? withOperator(ledger, { ...operator, ...changes }) : ledger
}
