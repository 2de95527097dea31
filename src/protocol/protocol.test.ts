import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, toHex } from '#primitives'
import { appHash, balanceOf, duties, nextDueMs, operatorOf, scoreOf, taskOf } from '#protocol'
import {
  type CheckpointRecorded,
  chainL1Digest,
  checkpointMessage,
  type L1Event,
  type LeafExecuted,
  resultDigest,
  type Statement,
  type Transaction,
  taskDigest,
} from '#records'
import { nonceCommitment, signShare, verifyGroupSignature } from '#threshold'
import {
  byteService,
  instanceOf,
  LedgerNetwork,
  seededBytes,
} from '../../test/support/ledger-network.ts'

const seed = toHex(seededBytes(99)(32))
const salt = toHex(new Uint8Array(32).fill(5))
const zeroHash: Hex = `0x${'00'.repeat(32)}`

/** Every operator publishes nonces, so that sessions can open. */
const publishNonces = (network: LedgerNetwork) =>
  network.operators.map(({ id, key }) =>
    network.report(id, [
      {
        kind: 'nonces',
        commitments: [0, 1, 2, 3].map((index) => nonceCommitment(key, seed, instanceOf(id), index)),
      },
    ]),
  )

/** Shares that the open sessions wait for. */
const shares = (network: LedgerNetwork): Transaction[] =>
  network.operators.flatMap(({ id, key }) => {
    const owed = duties(network.ledger, id, network.timeMs).flatMap((duty): Statement[] =>
      duty.kind === 'sign'
        ? [
            {
              kind: 'share',
              checkpoint: duty.session.checkpoint,
              attempt: duty.session.attempt,
              share: signShare({ key, session: duty.session, seed, instance: instanceOf(id) }),
            },
          ]
        : [],
    )
    return owed.length > 0 ? [network.report(id, owed)] : []
  })

const statementsOf = (
  network: LedgerNetwork,
  kind: 'execute' | 'reveal',
  resultOf: (id: number) => number,
): Transaction[] =>
  network.operators.flatMap(({ id }) => {
    const statements = duties(network.ledger, id, network.timeMs).flatMap((duty): Statement[] => {
      if (duty.kind !== kind) return []
      const { id: task, attempt } = duty.task
      const result = new Uint8Array([resultOf(id)])
      const digest = resultDigest({ task, attempt, operator: id, result, salt })
      return kind === 'execute'
        ? [{ kind: 'commit', task, attempt, digest }]
        : [{ kind: 'reveal', task, attempt, result, salt }]
    })
    return statements.length > 0 ? [network.report(id, statements)] : []
  })

/** Takes a task to agreement with these results; gives its id. */
function agreeOnTask(network: LedgerNetwork, resultOf: (id: number) => number): Hex {
  const task = network.task()
  assert.deepEqual(network.block([task]), [{ ok: true }])
  network.block()
  network.block(statementsOf(network, 'execute', resultOf))
  network.block(statementsOf(network, 'reveal', resultOf))
  return taskDigest(network.ledger.constants.network, task.request)
}

/** The L1 events, vouched for by everyone, in one block after the views. */
function vouch(network: LedgerNetwork, events: readonly L1Event[]): void {
  let { digest } = network.ledger.chain.l1
  for (const event of events) digest = chainL1Digest(digest, event)
  const view = {
    block: 9,
    events: network.ledger.chain.l1.events + events.length,
    digest,
    fork: false,
  }
  network.block(network.operators.map(({ id }) => network.report(id, [{ kind: 'view', view }])))
  assert.deepEqual(network.block([{ kind: 'l1-events', events }]), [{ ok: true }])
}

test('task: from acceptance over a certificate to settlement, everyone who agreed is paid', () => {
  const network = new LedgerNetwork(4)
  const total = network.totalWei()
  network.block(publishNonces(network))
  const id = agreeOnTask(network, (operator) => 100 + operator)
  const agreed = taskOf(network.ledger, id)
  assert.equal(agreed?.status, 'agreed')
  assert.deepEqual(agreed?.result, new Uint8Array([102]))
  network.block([], 1_000)
  assert.equal(network.ledger.sessions.size, 1)
  network.block(shares(network))
  const entry = network.ledger.checkpoints.get('1')
  assert.equal(entry?.status, 'certified')
  assert(entry?.signature)
  const message = checkpointMessageOf(network)
  assert(verifyGroupSignature(network.genesis.groupKey, message, entry.signature))
  const landed: CheckpointRecorded = {
    kind: 'checkpoint-recorded',
    block: 5,
    transaction: zeroHash,
    logIndex: 0,
    index: 1,
    size: entry.checkpoint.size,
    root: entry.checkpoint.root,
    submitter: network.client.address,
    operator: 2,
    window: 0,
    timeS: entry.checkpoint.startS,
  }
  const executed: LeafExecuted = {
    kind: 'leaf-executed',
    block: 6,
    transaction: zeroHash,
    logIndex: 0,
    leafIndex: 0,
    subject: id,
    success: true,
    executor: network.client.address,
  }
  vouch(network, [landed, executed])
  assert.equal(taskOf(network.ledger, id)?.status, 'settled')
  assert.equal(network.totalWei(), total)
  for (const { id: operator, address } of network.operators) {
    assert.equal(balanceOf(network.ledger, address), 250n)
    assert.equal(scoreOf(network.ledger, 'byte', operator).earned, 250n)
  }
})

function checkpointMessageOf(network: LedgerNetwork): Hex {
  const entry = network.ledger.checkpoints.get('1')
  assert(entry)
  return checkpointMessage(network.ledger.constants.domain, entry.checkpoint)
}

test('median: a liar earns nothing and cannot move the result out of the honest range', () => {
  const network = new LedgerNetwork(4)
  network.block(publishNonces(network))
  const id = agreeOnTask(network, (operator) => (operator === 1 ? 255 : 100 + operator))
  const task = taskOf(network.ledger, id)
  assert.deepEqual(task?.agreeing, [2, 3, 4])
  const [result = 0] = task?.result ?? []
  assert(result >= 102 && result <= 104)
  assert.equal(scoreOf(network.ledger, 'byte', 1).outlying, 1)
})

test('reveal: a copied digest with the copied result does not open', () => {
  const network = new LedgerNetwork(4)
  const task = network.task()
  network.block([task])
  network.block()
  const id = taskDigest(network.ledger.constants.network, task.request)
  const result = new Uint8Array([9])
  const digest = resultDigest({ task: id, attempt: 1, operator: 1, result, salt })
  const commitOf = (operator: number) =>
    network.report(operator, [{ kind: 'commit', task: id, attempt: 1, digest }])
  network.block([commitOf(1), commitOf(2), commitOf(3)])
  const revealOf = (operator: number) =>
    network.report(operator, [{ kind: 'reveal', task: id, attempt: 1, result, salt }])
  assert.deepEqual(network.block([revealOf(1), revealOf(2)]), [
    { ok: true },
    { ok: false, reason: 'DigestMismatch' },
  ])
})

test('task: without enough commits it is drawn once more, then refunded', () => {
  const network = new LedgerNetwork(4)
  const total = network.totalWei()
  const task = network.task()
  network.block([task])
  const id = taskDigest(network.ledger.constants.network, task.request)
  network.block()
  network.block([], 3_000)
  assert.equal(taskOf(network.ledger, id)?.status, 'accepted')
  network.block()
  assert.equal(taskOf(network.ledger, id)?.attempt, 2)
  network.block([], 3_000)
  assert.deepEqual(
    [taskOf(network.ledger, id)?.status, taskOf(network.ledger, id)?.reason],
    ['expired', 'TooFewCommits'],
  )
  assert.equal(balanceOf(network.ledger, network.client.address), 1_000_000n)
  assert.equal(network.totalWei(), total)
  assert(scoreOf(network.ledger, 'byte', 1).timeliness < 10n ** 18n)
})

test('task: refusals name what is wrong and leave the ledger bit-identical', () => {
  const network = new LedgerNetwork(4)
  const known = network.task()
  network.block([known])
  const stranger = network.task()
  const refused: [Transaction, string][] = [
    [known, 'KnownTask'],
    [network.task({ service: 'nothing' }), 'UnknownService'],
    [network.task({ maxFee: 999n as never }), 'FeeTooLow'],
    [network.task({ payload: new Uint8Array() }), 'BadPayload'],
    [network.task({ validUntilMs: 1 }), 'TaskTooLate'],
    [network.task({ validUntilMs: network.timeMs + 1e9 }), 'TaskTooEarly'],
    [network.task({ client: network.genesis.outbox }), 'BadSignature'],
    [{ ...stranger, request: { ...stranger.request, salt } }, 'BadSignature'],
  ]
  network.block()
  for (const [transaction, reason] of refused) {
    const before = network.ledger.tasks
    const [result] = network.block([transaction])
    assert.equal(result?.ok === false && result.reason, reason)
    assert.equal(network.ledger.tasks, before)
  }
})

test('block: undecodable bytes are refused one by one and stop nothing', () => {
  const network = new LedgerNetwork(4)
  const results = network.rawBlock([
    new Uint8Array([1]),
    new Uint8Array(),
    new Uint8Array(300).fill(7),
  ])
  assert.deepEqual(results, Array(3).fill({ ok: false, reason: 'BadEncoding' }))
})

test('block: an empty one without anything due leaves the ledger the same value', () => {
  const network = new LedgerNetwork(4)
  network.block(publishNonces(network))
  const before = network.ledger
  const hash = appHash(before)
  network.rawBlock([], 1_000_000)
  assert.equal(network.ledger, before)
  assert.equal(appHash(network.ledger), hash)
  assert.equal(nextDueMs(network.ledger), undefined)
})

test('report: sequence, network, signature and novelty are checked', () => {
  const network = new LedgerNetwork(4)
  network.block([network.report(1, [])])
  const view = { block: 1, events: 0, digest: zeroHash, fork: true }
  const good = network.report(1, [{ kind: 'view', view }])
  const reasonOf = (transaction: Transaction) => {
    const [result] = network.block([transaction])
    return result?.ok === false ? result.reason : 'accepted'
  }
  assert.equal(reasonOf({ ...good, signature: network.report(2, []).signature }), 'BadSignature')
  assert.equal(reasonOf(network.report(1, [], { network: zeroHash })), 'WrongNetwork')
  assert.equal(reasonOf(network.report(1, [])), 'NothingNew')
  assert.equal(reasonOf(good), 'accepted')
  assert.equal(reasonOf(good), 'StaleSequence')
})

test('report: a new instance voids the nonces of the old one', () => {
  const network = new LedgerNetwork(4)
  network.block(publishNonces(network))
  assert.equal(network.ledger.nonces.get('1')?.unused.length, 4)
  network.block([network.report(1, [], { instance: salt })])
  assert.deepEqual(network.ledger.nonces.get('1'), { next: 4, unused: [] })
})

test('signing: a bad share is named, its operator jailed, and the next attempt certifies', () => {
  const network = new LedgerNetwork(4)
  network.block(publishNonces(network))
  agreeOnTask(network, () => 7)
  network.block([], 1_000)
  const [first, ...others] = shares(network)
  assert(first?.kind === 'report')
  const forged = network.report(
    first.report.operator,
    first.report.statements.map((one) =>
      one.kind === 'share' ? { ...one, share: toHex(new Uint8Array(32).fill(1)) } : one,
    ),
  )
  network.block([forged, ...others])
  assert.equal(operatorOf(network.ledger, first.report.operator)?.status, 'jailed')
  network.block(shares(network))
  assert.equal(network.ledger.checkpoints.get('1')?.status, 'certified')
})

test('signing: silent signers are ranked last and a new session uses fresh nonces', () => {
  const network = new LedgerNetwork(4)
  network.block(publishNonces(network))
  agreeOnTask(network, () => 7)
  network.block([], 1_000)
  const [, ...others] = shares(network)
  const silent = network.ledger.sessions.get('1')?.signers[0]?.operator ?? 0
  network.block(others)
  for (let i = 0; i < 3; i++) network.block()
  const retried = network.ledger.sessions.get('1')
  assert.equal(retried?.attempt, 2)
  assert(!retried?.signers.some(({ operator }) => operator === silent))
  assert.equal(operatorOf(network.ledger, silent)?.silentSessions, 1)
  network.block(shares(network))
  assert.equal(network.ledger.checkpoints.get('1')?.status, 'certified')
})

test('landing: owners of windows that passed with a certificate standing have missed them', () => {
  const network = new LedgerNetwork(4)
  network.block(publishNonces(network))
  agreeOnTask(network, () => 7)
  network.block([], 1_000)
  network.block(shares(network))
  const { checkpoint } = network.ledger.checkpoints.get('1') ?? assert.fail()
  vouch(network, [
    {
      kind: 'checkpoint-recorded',
      block: 5,
      transaction: zeroHash,
      logIndex: 0,
      index: 1,
      size: checkpoint.size,
      root: checkpoint.root,
      submitter: network.client.address,
      operator: checkpoint.submitters[2] ?? 0,
      window: 2,
      timeS: checkpoint.startS + 9,
    },
  ])
  const missed = checkpoint.submitters.map((id) => operatorOf(network.ledger, id)?.missedWindows)
  assert.deepEqual(missed, [1, 1, 0, 0])
  assert.equal(network.ledger.chain.windows, undefined)
})

test('l1-events: two of four vouching is not enough', () => {
  const network = new LedgerNetwork(4)
  const event: L1Event = {
    kind: 'deposited',
    block: 3,
    transaction: zeroHash,
    logIndex: 0,
    account: network.client.address,
    amountWei: 5n,
  }
  const view = { block: 3, events: 1, digest: chainL1Digest(zeroHash, event), fork: false }
  const say = (id: number) => network.report(id, [{ kind: 'view', view }])
  network.block([say(1), say(2)])
  const bring: Transaction = { kind: 'l1-events', events: [event] }
  assert.deepEqual(network.block([bring]), [{ ok: false, reason: 'NotVouched' }])
  network.block([say(3)])
  assert.deepEqual(network.block([bring, bring]), [
    { ok: true },
    { ok: false, reason: 'NotVouched' },
  ])
  assert.equal(balanceOf(network.ledger, network.client.address), 1_000_005n)
})

test('l1-events: more than a third of the power that sees a fork freezes them', () => {
  const network = new LedgerNetwork(4)
  const fork = { block: 3, events: 0, digest: zeroHash, fork: true }
  network.block([1, 2].map((id) => network.report(id, [{ kind: 'view', view: fork }])))
  assert.deepEqual(network.block([{ kind: 'l1-events', events: [] }]), [
    { ok: false, reason: 'L1Frozen' },
  ])
})

test('vote: a parameter changes after the delay, once two thirds agree, within its bounds', () => {
  const network = new LedgerNetwork(4)
  const say = (id: number, value: bigint) =>
    network.report(id, [{ kind: 'vote', parameter: 'windowS', value }])
  network.block([network.report(1, [])])
  assert.deepEqual(
    network.block([say(1, 1n)]).map((one) => !one.ok && one.reason),
    ['OutOfBounds'],
  )
  network.block([say(1, 8n), say(2, 8n), say(3, 8n)])
  assert.equal(network.ledger.parameters.get('windowS'), undefined)
  network.block([], 10_000)
  assert.equal(network.ledger.parameters.get('windowS'), 8n)
})

test('draw: seven operators and a committee of four; a client cannot know it beforehand', () => {
  const network = new LedgerNetwork(7)
  const task = network.task()
  network.block([task])
  const id = taskDigest(network.ledger.constants.network, task.request)
  assert.deepEqual(taskOf(network.ledger, id)?.committee, [])
  network.block()
  const committee = taskOf(network.ledger, id)?.committee.map(({ operator }) => operator) ?? []
  assert.equal(new Set(committee).size, byteService.spec.committee)
})
