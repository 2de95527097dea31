import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duties } from '#protocol'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  certify,
  commits,
  cut,
  publishNonces,
  recorded,
  reveals,
  shares,
  slowCuts,
  vouch,
} from '../../../test/support/ledger-script.ts'

const kinds = ({ ledger, timeMs }: LedgerNetwork, id: number, atMs = timeMs) =>
  duties(ledger, id, atMs)
    .map(({ kind }) => kind)
    .filter((kind) => kind !== 'solve') // owed from the first block on, and tested elsewhere

function ready() {
  const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 16))
  return network
}

test('duties: at first an operator owes nonces, and always what it sees of L1', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  assert.deepEqual(kinds(network, 1), ['publish-nonces', 'vouch'])
  network.block(publishNonces(network, 7))
  const [publish] = duties(network.ledger, 1, 0)
  assert.deepEqual(publish, { kind: 'publish-nonces', count: 9, fromIndex: 7 })
  network.block(publishNonces(network, 9))
  assert.deepEqual(kinds(network, 1), ['vouch'])
})

test('duties: a task asks each member to execute, then to reveal, until it has', () => {
  const network = ready()
  network.block([network.task()])
  assert.deepEqual(kinds(network, 1), ['vouch'])
  network.block()
  assert.deepEqual(kinds(network, 1), ['vouch', 'execute'])
  network.block(commits(network, (id) => (id < 3 ? 7 : undefined)))
  assert.deepEqual([kinds(network, 1), kinds(network, 4)], [['vouch'], ['vouch', 'execute']])
  network.block(commits(network, (id) => (id === 3 ? 7 : undefined)))
  assert.deepEqual([kinds(network, 1), kinds(network, 4)], [['vouch', 'reveal'], ['vouch']])
  network.block(reveals(network, (id) => (id === 1 ? 7 : undefined)))
  assert.deepEqual([kinds(network, 1), kinds(network, 2)], [['vouch'], ['vouch', 'reveal']])
})

test('duties: signing asks its signers, submitting everyone, delivering whom it fell to', () => {
  const network = ready()
  agreeOnTask(network)
  cut(network)
  const signers = network.operators.filter(({ id }) => kinds(network, id).includes('sign'))
  assert.equal(signers.length, 3)
  network.block(shares(network))
  for (const { id } of network.operators) assert.deepEqual(kinds(network, id), ['vouch', 'submit'])
  const entry = network.ledger.checkpoints.get('1') ?? assert.fail()
  const places = network.operators.map(
    ({ id }) => duties(network.ledger, id, 0).find((duty) => duty.kind === 'submit')?.place,
  )
  assert.deepEqual(places.toSorted(), [0, 1, 2, 3])
  vouch(network, [recorded(entry, { operator: 2 })])
  assert.deepEqual([kinds(network, 1), kinds(network, 2)], [['vouch'], ['vouch', 'deliver']])
  assert.deepEqual(kinds(network, 1, network.timeMs + 8_000), ['vouch', 'deliver'])
})

test('duties: who owns no window submits after all who do', () => {
  const network = new LedgerNetwork(7, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 16))
  agreeOnTask(network)
  const { checkpoint } = certify(network)
  const stranger = network.operators.find(({ id }) => !checkpoint.submitters.includes(id))?.id ?? 0
  const duty = duties(network.ledger, stranger, 0).find(({ kind }) => kind === 'submit')
  assert.equal(duty?.kind === 'submit' && duty.place, 4)
})

test('duties: what the whole network waits for comes first, since a report holds only so much', () => {
  const network = ready()
  agreeOnTask(network)
  const [task, other] = [network.task(), network.task()]
  network.block([task, other])
  network.block()
  network.block([...commits(network, () => 7), network.task()])
  network.block()
  cut(network)
  const signer = [...network.ledger.sessions.values()][0]?.signers[0]?.operator ?? 0
  assert.deepEqual(kinds(network, signer), ['sign', 'vouch', 'reveal', 'reveal', 'execute'])
})
