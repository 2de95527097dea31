import { fromHex, sha256, shuffle, uint64Bytes, utf8 } from '#primitives'
import {
  checkpointMessage,
  type Operator,
  type OperatorId,
  type Session,
  type Signer,
} from '#records'
import { aggregate, judgeShares } from '#threshold'
import {
  activeOperators,
  type Ledger,
  noncePoolOf,
  operatorOf,
  operatorsOf,
  withChain,
  withOperator,
} from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { parameter } from '../parameters.ts'
import { checkpointOf, cutCheckpoint, nextCutMs, withCheckpoint } from './checkpoints.ts'

/** Answers that an operator may owe before the count stops rising. */
const maxSilent = 255

/**
 * Everything that signing owes at the end of a block: finished sessions become certificates, late ones
 * get a successor with fresh nonces, and a checkpoint is cut when it is due.
 */
export function advanceSigning(ledger: Ledger, block: BlockFacts): Ledger {
  const advanced = [...ledger.sessions.values()].reduce(
    (next, session) => advanceSession(next, session, block),
    ledger,
  )
  const dueMs = nextCutMs(advanced)
  if (dueMs === undefined || block.timeMs < dueMs) return advanced
  if (!canSign(advanced)) return advanced
  const cut = cutCheckpoint(advanced, block)
  return openSession(cut, cut.chain.cutIndex, 1, block)
}

function advanceSession(ledger: Ledger, session: Session, block: BlockFacts): Ledger {
  if (session.signers.every(({ share }) => share !== undefined))
    return concludeSession(ledger, session, block)
  const isLate = block.height - session.openedHeight >= parameter(ledger, 'sessionBlocks')
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
  return judgeShares(session, ledger.constants.groupKey, verifyingShares).bad.reduce(
    (next, operator) => changeOperator(next, operator, { status: 'jailed', power: 0n }),
    ledger,
  )
}

/** A new attempt; for a newer checkpoint when the outbox has grown meanwhile. */
function retry(ledger: Ledger, session: Session, block: BlockFacts): Ledger {
  const closed = closeSession(ledger, session)
  const entry = checkpointOf(closed, session.checkpoint)
  const hasNewLeaves = closed.chain.outboxSize > closed.chain.cutSize
  if (!canSign(closed)) return abandon(closed, session)
  if (!entry || !hasNewLeaves) {
    return openSession(closed, session.checkpoint, session.attempt + 1, block)
  }
  const cut = cutCheckpoint(abandon(closed, session), block)
  return openSession(cut, cut.chain.cutIndex, 1, block)
}

/** A checkpoint that will never be signed; what it held is in the next one. */
function abandon(ledger: Ledger, session: Session): Ledger {
  const entry = checkpointOf(ledger, session.checkpoint)
  if (!entry) return ledger
  const abandoned = withCheckpoint(ledger, { ...entry, status: 'abandoned' })
  // The next cut must not wait for new leaves: these are not certified yet.
  return withChain(abandoned, { cutSize: certifiedSize(abandoned) })
}

const certifiedSize = (ledger: Ledger): number =>
  [...ledger.checkpoints.values()]
    .filter(({ status }) => status === 'certified' || status === 'landed')
    .reduce((largest, { checkpoint }) => Math.max(largest, checkpoint.size), 0)

/** Whether enough operators have a nonce to sign with. */
const canSign = (ledger: Ledger): boolean =>
  ableSigners(ledger).length >= ledger.constants.threshold

const ableSigners = (ledger: Ledger): readonly Operator[] =>
  activeOperators(ledger).filter(({ id }) => noncePoolOf(ledger, id).unused.length > 0)

/** Opens a session: responsive operators first, then by the randomness; one nonce each is used up. */
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
  }
  const nonces = signers.reduce((table, { operator }) => {
    const pool = noncePoolOf(ledger, operator)
    return table.set(String(operator), { ...pool, unused: pool.unused.slice(1) })
  }, ledger.nonces)
  return { ...ledger, nonces, sessions: ledger.sessions.set(String(index), session) }
}

function chooseSigners(ledger: Ledger, index: number, attempt: number): readonly Signer[] {
  const seed = sha256(
    utf8('NodeOP signers'),
    fromHex(ledger.chain.mix),
    uint64Bytes(index),
    uint64Bytes(attempt),
  )
  return [...shuffle(seed, ableSigners(ledger))]
    .sort((a, b) => a.silentSessions - b.silentSessions)
    .slice(0, ledger.constants.threshold)
    .sort((a, b) => a.id - b.id)
    .flatMap(({ id }) => {
      const [nonce] = noncePoolOf(ledger, id).unused
      return nonce ? [{ operator: id, nonce, share: undefined }] : []
    })
}

const closeSession = (ledger: Ledger, session: Session): Ledger => ({
  ...ledger,
  sessions: ledger.sessions.delete(String(session.checkpoint)),
})

function changeOperator(ledger: Ledger, id: OperatorId, changes: Partial<Operator>): Ledger {
  const operator = operatorOf(ledger, id)
  return operator ? withOperator(ledger, { ...operator, ...changes }) : ledger
}
