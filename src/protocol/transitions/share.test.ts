import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { appHash } from '#protocol'
import type { Transaction } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  cut,
  introduce,
  publishNonces,
  reasonsOf,
  shares,
  slowCuts,
  testSalt,
} from '../../../test/support/ledger-script.ts'

/** A network with an open signing session. */
function signing() {
  const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
  introduce(network)
  network.block(publishNonces(network))
  agreeOnTask(network)
  cut(network)
  const session = () => network.ledger.sessions.get('1')
  const signers = session()?.signers.map(({ operator }) => operator) ?? []
  const share = { kind: 'share', checkpoint: 1, attempt: 1, share: testSalt } as const
  return { network, session, signers, share }
}

test('share: it stands beside its signer, unjudged until all are in', () => {
  const { network, session, signers, share } = signing()
  const [first = 0] = signers
  assert.deepEqual(reasonsOf(network.block([network.report(first, [share])])), ['ok'])
  assert.equal(session()?.signers[0]?.share, testSalt)
})

test('share: of another session, of no signer, and twice it is refused', () => {
  const { network, signers, share } = signing()
  const [first = 0] = signers
  const stranger = network.operators.find(({ id }) => !signers.includes(id))?.id ?? 0
  const reports = [
    network.report(stranger, [share]),
    network.report(first, [{ ...share, attempt: 2 }]),
    network.report(first, [{ ...share, checkpoint: 2 }]),
    network.report(first, [share]),
    network.report(first, [share]),
  ]
  assert.deepEqual(reasonsOf(network.block(reports)), [
    'NotASigner',
    'NoSuchSession',
    'NoSuchSession',
    'ok',
    'AlreadyHeld',
  ])
})

test('share: in whatever order and blocks they come, the certificate is the same', () => {
  const { network } = signing()
  const { ledger, timeMs } = network
  const reports = shares(network)
  const certificates = new Set<string>()
  const before = appHash(ledger)
  const plan = fc.tuple(
    fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
    fc.array(fc.constantFrom(true, false), { minLength: 2, maxLength: 2 }),
  )
  fc.assert(
    fc.property(plan, ([order, breaks]) => {
      network.ledger = ledger
      network.timeMs = timeMs
      let waiting: Transaction[] = []
      for (const [i, place] of order.entries()) {
        waiting.push(...reports.slice(place, place + 1))
        if (!breaks[i] && i < 2) continue
        network.block(waiting, 1)
        waiting = []
      }
      certificates.add(network.ledger.checkpoints.get('1')?.signature ?? 'none')
      assert.deepEqual([certificates.size, certificates.has('none')], [1, false])
    }),
    { numRuns: 10 },
  )
  assert.equal(appHash(ledger), before)
})
