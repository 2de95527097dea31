import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Hex, sha256Hex, uint64Bytes } from '#primitives'
import { duties, nextDueMs, scoreOf, taskOf, trustOf, withChain } from '#protocol'
import type { OperatorId, Task } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork, totalWei } from '../../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  commits,
  introduce,
  type ResultOf,
  reveals,
  taskStatement,
} from '../../../test/support/ledger-script.ts'
import { drawAudits } from './audits.ts'
import { forgetTasks } from './tasks.ts'

/** Everything is audited, unless another part is asked for. */
function networkOf(operators: number, auditPpm = 1_000_000): LedgerNetwork {
  const parameters = [{ name: 'auditPpm', value: BigInt(auditPpm) }]
  const network = new LedgerNetwork(operators, { parameters }, idealCrypto)
  introduce(network)
  return network
}

const taskIn = (network: LedgerNetwork, id: Hex): Task =>
  taskOf(network.ledger, id) ?? assert.fail('the task is known')
const auditIn = (network: LedgerNetwork, id: Hex): Task =>
  network.ledger.audits.get(id) ?? assert.fail('the audit is open')
const idsOf = ({ committee }: Task): readonly OperatorId[] =>
  committee.map(({ operator }) => operator)
const trustIn = ({ ledger }: LedgerNetwork, id: OperatorId, service = 'byte'): number =>
  Number(trustOf(scoreOf(ledger, service, id))) / 1e18

/** A task agreed on by its committee, and the next block, in which its lot is thrown. */
function agreed(network: LedgerNetwork, result: ResultOf, service = 'byte'): Hex {
  const id = agreeOnTask(network, result, { service })
  network.block()
  return id
}

/** Auditors commit and reveal. */
function answered(network: LedgerNetwork, result: ResultOf): void {
  network.block(commits(network, result))
  network.block(reveals(network, result))
}

test('audit: auditors are as many as twice the committee, and none of it', () => {
  const network = networkOf(14)
  const id = agreed(network, () => 100)
  const [task, audit] = [taskIn(network, id), auditIn(network, id)]
  assert.equal(task.audit, 'open')
  assert.equal(audit.committee.length, 8)
  assert.equal(audit.fee, 0n, 'the fee is reserved once')
  assert(idsOf(audit).every((one) => !idsOf(task).includes(one)))
  assert((nextDueMs(network.ledger) ?? Infinity) <= audit.deadlineMs)
  for (const { id: operator } of network.operators) {
    const owed = duties(network.ledger, operator, network.timeMs).map(({ kind }) => kind)
    assert.equal(owed.includes('execute'), idsOf(audit).includes(operator))
  }
})

test('audit: the lot is thrown with randomness that nobody knew when the committee reported', () => {
  const network = networkOf(14)
  const id = agreeOnTask(network, () => 100)
  assert.deepEqual([taskIn(network, id).audit, auditIn(network, id).status], ['none', 'accepted'])
  assert.equal(auditIn(network, id).committee.length, 0)
  network.rawBlock([], 3_600_000)
  assert.equal(auditIn(network, id).status, 'accepted', 'without randomness, lots wait')
  const { ledger } = network
  const drawnWith = (mix: Hex) => {
    network.ledger = { ...ledger, chain: { ...ledger.chain, mix } }
    network.block()
    return idsOf(auditIn(network, id)).join()
  }
  const mixes = ['11', '22', '33'].map((byte) => `0x${byte.repeat(32)}` as const)
  assert(new Set(mixes.map(drawnWith)).size > 1)
})

test('audit: honest results are upheld, and both committees gain evidence', () => {
  const network = networkOf(14)
  const id = agreed(network, (operator) => 100 + (operator % 3))
  const [task, audit] = [taskIn(network, id), auditIn(network, id)]
  const before = network.ledger
  answered(network, (operator) => 104 + (operator % 3))
  assert.equal(taskIn(network, id).audit, 'upheld')
  assert.equal(network.ledger.audits.size, 0)
  for (const one of idsOf(task)) {
    assert.equal(scoreOf(network.ledger, 'byte', one).upheld, 1)
    assert.equal(scoreOf(network.ledger, 'byte', one).drawn, 1)
    assert(trustOf(scoreOf(network.ledger, 'byte', one)) > trustOf(scoreOf(before, 'byte', one)))
  }
  for (const one of idsOf(audit)) {
    assert.equal(scoreOf(network.ledger, 'byte', one).drawn, 1)
    assert(trustIn(network, one) > 0.5)
  }
})

test('audit: a lie that the whole committee agreed on is found; result and fee stay', () => {
  const network = networkOf(14)
  const id = agreed(network, () => 250)
  const [task, audit] = [taskIn(network, id), auditIn(network, id)]
  answered(network, () => 100)
  const after = taskIn(network, id)
  assert.deepEqual({ ...after, audit: 'open' }, task)
  assert.equal(after.audit, 'refuted')
  for (const one of idsOf(task)) {
    assert.equal(scoreOf(network.ledger, 'byte', one).refuted, 1)
    assert(trustIn(network, one) < 0.03)
  }
  for (const one of idsOf(audit)) assert(trustIn(network, one) > 0.5)
})

test('audit: who dissented from the lie is upheld, by number or by bytes', () => {
  for (const service of ['byte', 'text']) {
    const network = networkOf(14)
    let honest = 0
    const id = agreed(
      network,
      (operator) => {
        const { committee } = [...network.ledger.tasks.values()][0] ?? { committee: [] }
        honest = committee[0]?.operator ?? 0
        return operator === honest ? 100 : 250
      },
      service,
    )
    const task = taskIn(network, id)
    assert.equal(task.agreeing.length, 3)
    answered(network, () => 100)
    assert.equal(taskIn(network, id).audit, 'refuted')
    for (const one of idsOf(task)) {
      const { upheld, refuted } = scoreOf(network.ledger, service, one)
      assert.deepEqual([upheld, refuted], one === honest ? [1, 0] : [0, 1])
    }
  }
})

test('audit: auditors who lie together outweigh nobody honest unless they are many more', () => {
  const network = networkOf(10)
  const id = agreed(network, () => 100)
  const [task, audit] = [taskIn(network, id), auditIn(network, id)]
  assert.equal(audit.committee.length, 6)
  const liars = idsOf(audit).slice(0, 4)
  answered(network, (operator) => (liars.includes(operator) ? 250 : 100))
  assert.equal(taskIn(network, id).audit, 'upheld')
  for (const one of idsOf(audit))
    assert.equal(scoreOf(network.ledger, 'byte', one).outlying, liars.includes(one) ? 1 : 0)
  for (const one of idsOf(task)) assert.equal(scoreOf(network.ledger, 'byte', one).upheld, 1)
})

test('audit: as many behind one outcome as behind the other decide nothing', () => {
  const network = networkOf(10)
  const id = agreed(network, () => 100)
  const [task, audit] = [taskIn(network, id), auditIn(network, id)]
  const liars = idsOf(audit).slice(0, 5)
  const before = idsOf(task).map((one) => scoreOf(network.ledger, 'byte', one))
  answered(network, (operator) => (liars.includes(operator) ? 250 : 100))
  assert.equal(taskIn(network, id).audit, 'void')
  assert.deepEqual(
    idsOf(task).map((one) => scoreOf(network.ledger, 'byte', one)),
    before,
  )
  for (const one of idsOf(audit)) assert.equal(scoreOf(network.ledger, 'byte', one).outlying, 0)
})

test('audit: auditors who stay away lose; those who came and the committee lose nothing', () => {
  const network = networkOf(14)
  const id = agreed(network, () => 100)
  const audit = auditIn(network, id)
  const present = idsOf(audit).slice(0, 5)
  network.block(commits(network, (one) => (present.includes(one) ? 100 : undefined)))
  assert.equal(auditIn(network, id).status, 'committing', 'it waits for all until the deadline')
  network.block([], 3_000)
  assert.equal(taskIn(network, id).audit, 'void')
  for (const one of idsOf(audit)) {
    const { missing } = scoreOf(network.ledger, 'byte', one)
    assert.equal(missing, present.includes(one) ? 0 : 1)
  }
})

test('audit: none where too few are left to outweigh those who agreed', () => {
  for (const [operators, isAudited] of [
    [4, false],
    [8, false],
    [9, true],
  ] as const) {
    const network = networkOf(operators)
    const id = agreed(network, () => 100)
    assert.equal(network.ledger.audits.size, isAudited ? 1 : 0)
    assert.equal(taskIn(network, id).audit, isAudited ? 'open' : 'none')
  }
})

test('audit: none where a part of nothing is governed, or the service cannot be executed again', () => {
  const off = networkOf(14, 0)
  agreeOnTask(off, () => 250)
  assert.equal(off.ledger.audits.size, 0)
  const network = networkOf(14)
  const spec = network.ledger.services.get('byte') ?? assert.fail()
  const once = { ...spec, auditToleranceBps: undefined }
  network.ledger = { ...network.ledger, services: network.ledger.services.set('byte', once) }
  agreeOnTask(network, () => 250)
  assert.equal(network.ledger.audits.size, 0)
})

test('audit: about so many are audited as is governed', () => {
  const network = networkOf(14, 250_000)
  agreeOnTask(network, () => 100)
  const { ledger } = network
  const block = { height: network.height + 1, timeMs: network.timeMs + 200 }
  const mixes = Array.from({ length: 400 }, (_, i) => sha256Hex(uint64Bytes(i)))
  const audited = mixes.filter(
    (mix) => drawAudits(withChain(ledger, { mix }), block).audits.size > 0,
  )
  assert(Math.abs(audited.length - 100) < 35, `${audited.length} of 400`)
})

test('audit: commits and reveals are for auditors, in their phase, each once', () => {
  const network = networkOf(14)
  const id = agreed(network, () => 100)
  const audit = auditIn(network, id)
  const [auditor = 0] = idsOf(audit)
  const [stranger = 0] = idsOf(taskIn(network, id))
  const say = (who: OperatorId, kind: 'execute' | 'reveal', task = audit) =>
    network.report(who, [taskStatement(who, { kind, task }, 100)])
  const reasons = (...all: ReturnType<typeof say>[]) =>
    network.block(all).map((one) => (one.ok ? 'ok' : one.reason))
  const twice = [say(auditor, 'execute'), say(auditor, 'execute')]
  assert.deepEqual(reasons(say(stranger, 'execute'), say(auditor, 'reveal'), ...twice), [
    'NotInCommittee',
    'RevealsClosed',
    'ok',
    'AlreadyHeld',
  ])
  answered(network, () => 100)
  assert.equal(taskIn(network, id).audit, 'upheld')
  assert.deepEqual(reasons(say(auditor, 'execute')), ['UnknownTask'])
})

test('audit: an audited task is remembered until its audit is over', () => {
  const network = networkOf(14)
  const id = agreed(network, () => 100)
  const { ledger } = network
  const ended = { ...taskIn(network, id), status: 'settled' as const, deadlineMs: 1 }
  const paid = {
    ...ledger,
    tasks: ledger.tasks.delete(id),
    endedTasks: ledger.endedTasks.set(id, ended),
  }
  const block = { height: network.height + 1, timeMs: network.timeMs }
  network.ledger = forgetTasks(paid, block)
  answered(network, () => 100)
  assert.equal(taskIn(network, id).audit, 'upheld')
  assert.equal(taskOf(forgetTasks(network.ledger, block), id), undefined)
})

test('audit: whoever says what when, it ends, all wei stay, and an honest majority is upheld', () => {
  const said = fc.array(fc.constantFrom(undefined, 100, 101, 250), {
    minLength: 10,
    maxLength: 10,
  })
  fc.assert(
    fc.property(said, said, (first, second) => {
      const network = networkOf(10)
      const total = totalWei(network.ledger)
      const task = network.task()
      network.block([task])
      network.block()
      const of =
        (all: readonly (number | undefined)[]): ResultOf =>
        (id) =>
          all[id - 1]
      for (const all of [first, second])
        for (let step = 0; step < 6; step++) {
          network.block([...commits(network, of(all)), ...reveals(network, of(all))], 1_100)
          assert.equal(totalWei(network.ledger), total)
        }
      for (let step = 0; step < 8; step++) network.block([], 1_100)
      assert.equal(network.ledger.audits.size, 0)
      const { audit, status, committee, result } = taskIn(network, network.idOf(task))
      assert(audit !== 'open')
      if (status === 'expired') assert.equal(audit, 'none')
      const isTrue = (result?.[0] ?? 250) < 200
      const honest = committee.filter((one) => one.result && (one.result[0] ?? 250) < 200).length
      const auditors = network.operators.filter(
        ({ id }) => !committee.some(({ operator }) => operator === id),
      )
      // At most: who says when depends on when the audit was drawn.
      const lying = auditors.filter(({ id }) =>
        [first, second].some((all) => all[id - 1] === 250),
      ).length
      if (isTrue && lying < honest) assert(audit !== 'refuted', 'too few liars refute nothing')
    }),
    {
      numRuns: 15,
      // Its audit was over before anybody said the second.
      examples: [
        [[100, 100, 250, 250, 101, 250, 250, undefined, 250, 100], Array(10).fill(undefined)],
      ],
    },
  )
})
