import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes, sha256Hex, utf8 } from '#primitives'
import { encodeTransaction, taskDigest, type Verdict } from '#records'
import { createFaultyDisk, type FaultyDisk } from '../../test/support/faulty-disk.ts'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { Acceptance } from './acceptance.ts'
import { History } from './history.ts'
import { openJournal } from './journal.ts'
import { OutboxIndex } from './outbox-index.ts'
import { createMemoryBesides } from './store/test-support/memory-besides.ts'

const network = new LedgerNetwork(4)
const task = network.task()
assert(task.kind === 'task')
const id = taskDigest(network.ledger.constants.network, task.request)
const bytes = encodeTransaction(task)
const owner = { networkId: sha256Hex(utf8('network')), validator: sha256Hex(utf8('operator')) }

/** A process of an operator whose mempool says the same of everything. */
async function processOn(
  disk: FaultyDisk,
  verdict: Verdict,
  submit: (bytes: Uint8Array) => Verdict = () => verdict,
) {
  const journal = await openJournal({ disk, owner, logger: silentLogger, tidyBytes: 0 })
  const history = new History()
  const acceptance = new Acceptance({
    ...{ journal, history, outbox: new OutboxIndex(createMemoryBesides()), sequencer: undefined },
    engine: { submit: async (bytes) => submit(bytes) },
    ledger: () => network.ledger,
    mempool: { hasTask: () => verdict.ok },
  })
  return { acceptance, journal, history }
}

test('acceptance: what was admitted, or waited already, is promised; what was refused is not', async () => {
  const promises = async (verdict: Verdict) => {
    const disk = createFaultyDisk(1)
    const { acceptance } = await processOn(disk, verdict)
    assert.deepEqual(await acceptance.accept(bytes), verdict)
    const later = await processOn(disk.afterPowerCut(), verdict)
    return later.journal.accepted().has(id)
  }
  assert.equal(await promises({ ok: true }), true)
  assert.equal(await promises({ ok: false, reason: 'AlreadyWaiting' }), true)
  assert.equal(await promises({ ok: false, reason: 'MempoolFull' }), false)
})

test('acceptance: what the next process cannot take ends with a reason', async () => {
  const disk = createFaultyDisk(2)
  await (await processOn(disk, { ok: true })).acceptance.accept(bytes)
  const second = await processOn(disk.afterPowerCut(), { ok: false, reason: 'TaskExpired' })
  await second.acceptance.takeUp()
  assert.equal(second.history.reasonOf(id), 'TaskExpired')
  assert.equal(second.acceptance.reasonOf(id), 'TaskExpired')
  assert(!second.journal.accepted().has(id))
})

test('acceptance: an operator that is ending gives nothing up', async () => {
  const disk = createFaultyDisk(3)
  await (await processOn(disk, { ok: true })).acceptance.accept(bytes)
  const ending = await processOn(disk.afterPowerCut(), { ok: false, reason: 'EngineStopped' })
  await ending.acceptance.takeUp()
  await ending.acceptance.tidy()
  assert(ending.journal.accepted().has(id))
  assert.equal(ending.history.reasonOf(id), undefined)
})

test('acceptance: what cannot be judged is kept, and keeps nothing else from its end', async () => {
  const disk = createFaultyDisk(4)
  const [expired, included] = [network.task(), network.task()]
  assert(expired.kind === 'task' && included.kind === 'task')
  const ids = [expired, included].map(({ request }) =>
    taskDigest(network.ledger.constants.network, request),
  )
  const [expiredId, includedId] = ids
  assert(expiredId && includedId && new Set([id, ...ids]).size === 3)
  const first = await processOn(disk, { ok: true })
  for (const one of [task, expired, included]) await first.acceptance.accept(encodeTransaction(one))
  const failed: Verdict = { ok: false, reason: 'ApplicationFailed' }
  const second = await processOn(disk.afterPowerCut(), failed, (offered) => {
    if (equalBytes(offered, bytes)) return failed
    const isIncluded = equalBytes(offered, encodeTransaction(included))
    return isIncluded ? { ok: true } : { ok: false, reason: 'TaskExpired' }
  })
  await second.acceptance.takeUp()
  await second.acceptance.tidy()
  assert.deepEqual([...second.journal.accepted().keys()], [id])
  assert.equal(second.acceptance.reasonOf(expiredId), 'TaskExpired')
})

test('acceptance: what could not be judged is offered again, and may be accepted anew', async () => {
  const disk = createFaultyDisk(5)
  await (await processOn(disk, { ok: true })).acceptance.accept(bytes)
  let verdict: Verdict = { ok: false, reason: 'ApplicationFailed' }
  const second = await processOn(disk, verdict, () => verdict)
  await second.acceptance.takeUp()
  verdict = { ok: true }
  await second.acceptance.accept(bytes)
  await second.acceptance.tidy()
  assert(!second.journal.accepted().has(id), 'a block has it')
})
