import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Hex, toHex } from '#primitives'
import { nextDueMs, noncePoolOf } from '#protocol'
import { checkpointMessage, type Session, type Transaction } from '#records'
import { verifyGroupSignature } from '#threshold'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  certify,
  cut,
  newestCheckpoint,
  publishNonces,
  shares,
  slowCuts,
} from '../../../test/support/ledger-script.ts'

/** A network whose operators have nonces, with something to certify. */
function ready(n = 4, nonces = 4) {
  const network = new LedgerNetwork(n, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, nonces))
  agreeOnTask(network)
  return network
}

const sessionOf = (network: LedgerNetwork): Session =>
  [...network.ledger.sessions.values()][0] ?? assert.fail('no session is open')
const signersOf = (network: LedgerNetwork) =>
  sessionOf(network).signers.map(({ operator }) => operator)
const noncesOf = (network: LedgerNetwork) =>
  sessionOf(network).signers.map(({ nonce }) => nonce.hiding)
const badShare: Hex = toHex(new Uint8Array(32).fill(1))

/** The same report with bad shares. */
const spoiled = (network: LedgerNetwork, transaction: Transaction | undefined): Transaction => {
  assert(transaction?.kind === 'report')
  const { operator, statements } = transaction.report
  return network.report(
    operator,
    statements.map((one) => (one.kind === 'share' ? { ...one, share: badShare } : one)),
  )
}

/** Blocks until an open session is late. */
function wait(network: LedgerNetwork) {
  for (let i = 0; i < 3; i++) network.block([], 500)
}

test('signing: the shares of a session make one signature of the group', () => {
  const network = ready()
  const { checkpoint, signature, certifiedMs } = certify(network)
  const message = checkpointMessage(network.ledger.constants.domain, checkpoint)
  assert(signature && verifyGroupSignature(network.genesis.groupKey, message, signature))
  assert.equal(certifiedMs, network.timeMs)
  assert.equal(network.ledger.chain.windows?.certifiedMs, network.timeMs)
})

test('signing: a bad share is named, its operator jailed, and the next attempt certifies', () => {
  const network = ready()
  cut(network)
  const [first, ...others] = shares(network)
  network.block([spoiled(network, first), ...others])
  const jailed = network.operator(first?.report.operator ?? 0)
  assert.deepEqual([jailed?.status, jailed?.power], ['jailed', 0n])
  assert.equal(sessionOf(network).attempt, 2)
  network.block(shares(network))
  assert.equal(newestCheckpoint(network).status, 'certified')
})

test('signing: if everyone sends bad shares, all are jailed and two thirds go on voting', () => {
  const network = ready(4, 16)
  cut(network)
  network.block(shares(network).map((one) => spoiled(network, one)))
  network.block(shares(network).map((one) => spoiled(network, one)))
  const operators = network.operators.map(({ id }) => network.operator(id))
  assert(operators.every((one) => one?.status === 'jailed'))
  assert.deepEqual(operators.map((one) => one?.power).toSorted(), [0n, 1n, 1n, 1n])
  network.block(shares(network))
  assert.equal(newestCheckpoint(network).status, 'certified', 'the jailed may still sign')
})

test('signing: silent signers are ranked last, and a new attempt uses fresh nonces', () => {
  const network = ready()
  cut(network)
  const used = noncesOf(network)
  const [, ...others] = shares(network)
  const [silent = 0] = signersOf(network)
  network.block(others)
  wait(network)
  assert.equal(sessionOf(network).attempt, 2)
  assert(!signersOf(network).includes(silent))
  assert.equal(network.operator(silent)?.silentSessions, 1)
  assert(noncesOf(network).every((nonce) => !used.includes(nonce)))
  network.block(shares(network))
  assert.equal(newestCheckpoint(network).status, 'certified')
})

test('signing: a session is late only after its time and after its blocks', () => {
  const network = ready()
  cut(network)
  network.block([], 5_000)
  assert.equal(sessionOf(network).attempt, 1, 'one slow block')
  network.block([], 1)
  network.block([], 1)
  assert.equal(sessionOf(network).attempt, 2)
  for (let i = 0; i < 10; i++) network.block([], 100)
  assert.equal(sessionOf(network).attempt, 2, 'many fast blocks')
})

test('signing: an open session asks for no blocks before it is late', () => {
  const network = ready()
  cut(network)
  assert.equal(nextDueMs(network.ledger), network.timeMs + 1_500)
  const { ledger } = network
  network.rawBlock([], 1_400)
  assert.equal(network.ledger, ledger)
})

test('signing: when nonces run out a checkpoint is given up, and nothing is due without them', () => {
  const network = ready(4, 1)
  cut(network)
  wait(network)
  assert.equal(newestCheckpoint(network).status, 'abandoned')
  assert.equal(network.ledger.sessions.size, 0)
  assert.equal(nextDueMs(network.ledger), undefined)
  network.block(publishNonces(network))
  assert.equal(certify(network).checkpoint.index, 2)
})

test('signing: nothing is due either while nobody has any nonce at all', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  agreeOnTask(network)
  assert.equal(nextDueMs(network.ledger), undefined)
})

test('signing: a checkpoint that cannot be signed is retried on a newer one, at the cadence', () => {
  const network = ready()
  cut(network)
  agreeOnTask(network)
  wait(network)
  assert.equal(sessionOf(network).attempt, 2)
  wait(network)
  assert.equal(network.ledger.checkpoints.get('1')?.status, 'abandoned')
  assert.equal(sessionOf(network).checkpoint, 2)
  assert.equal(newestCheckpoint(network).checkpoint.size, 2)
})

test('signing: after too many attempts a checkpoint is given up for an interval', () => {
  const network = ready(4, 64)
  cut(network)
  for (let i = 0; i < 16; i++) wait(network)
  assert.equal(newestCheckpoint(network).status, 'abandoned')
  assert.equal(network.ledger.sessions.size, 0)
  assert.equal(nextDueMs(network.ledger), network.timeMs + 3_000)
})

test('signing: who signs again is forgiven, and an epoch halves what is held against the rest', () => {
  const network = ready(4, 8)
  cut(network)
  wait(network)
  const silent = network.operators.filter(({ id }) => network.operator(id)?.silentSessions === 1)
  assert.equal(silent.length, 3)
  network.block(shares(network))
  const signed = newestCheckpoint(network)
  assert.equal(signed.status, 'certified')
  const still = network.operators.filter(({ id }) => network.operator(id)?.silentSessions === 1)
  assert.equal(still.length, 1)
  network.block([], 20_000) // opens the competition for the allocation
  network.block([], 20_000) // closes it, and the epoch
  assert(network.operators.every(({ id }) => network.operator(id)?.silentSessions === 0))
})

test('signing: whoever is silent or bad, no nonce is ever in two sessions', () => {
  const conduct = fc.constantFrom('honest', 'silent', 'bad')
  const plan = fc.array(fc.array(conduct, { minLength: 4, maxLength: 4 }), {
    minLength: 3,
    maxLength: 6,
  })
  fc.assert(
    fc.property(plan, (rounds) => {
      const network = ready(4, 16)
      const sessions = new Map<string, string>()
      for (const conducts of rounds) {
        const said = shares(network).flatMap((one) => {
          const how = conducts[one.report.operator - 1]
          return how === 'silent' ? [] : [how === 'bad' ? spoiled(network, one) : one]
        })
        network.block(said, 600)
        for (const { checkpoint, attempt, signers } of network.ledger.sessions.values())
          for (const { operator, nonce } of signers) {
            const name = `${operator}/${nonce.index}`
            assert.equal(
              sessions.get(name) ?? `${checkpoint}/${attempt}`,
              `${checkpoint}/${attempt}`,
            )
            sessions.set(name, `${checkpoint}/${attempt}`)
            assert(
              !noncePoolOf(network.ledger, operator).unused.some((x) => x.index === nonce.index),
            )
          }
      }
    }),
    { numRuns: 8 },
  )
})
