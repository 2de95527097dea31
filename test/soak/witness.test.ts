// What the checkers of `npm run soak -- crash` would see: they are no use if they see nothing.
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createPublicClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { encodeMessage, type Message, type Transport } from '#consensus'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { fault, serveJsonRpc } from '../support/json-rpc-server.ts'
import { createSigningChecker } from '../support/signing-checker.ts'
import { openL1Witness } from './l1-witness.ts'
import { readSignatures } from './signature-file.ts'
import { createTap } from './tap.ts'

const digest = (text: string): Hex => sha256Hex(utf8(text))

test('L1 witness: dearer is no second use of a nonce, another call is, unless L1 refused or forgot the first', async (t) => {
  let isRefusing = false
  const server = await serveJsonRpc(t, {
    eth_sendRawTransaction: ([raw]) => (isRefusing ? fault(-32000, 'no') : digest(String(raw))),
  })
  const restarted = await serveJsonRpc(t, {
    eth_sendRawTransaction: ([raw]) => digest(String(raw)),
    eth_getTransactionCount: () => '0x1',
  })
  let target = server.url
  const checker = createSigningChecker()
  const witness = await openL1Witness(() => target, checker)
  t.after(() => witness.close())
  const account = privateKeyToAccount(digest('key'))
  const client = createPublicClient({ transport: http(witness.url, { retryCount: 0 }) })
  const send = async (nonce: number, value: bigint, maxFeePerGas = 10n) => {
    const fees = { maxFeePerGas, maxPriorityFeePerGas: 1n, gas: 21_000n }
    const call = { type: 'eip1559', chainId: 1, nonce, to: account.address, value } as const
    const raw = await account.signTransaction({ ...call, ...fees })
    await client.request({ method: 'eth_sendRawTransaction', params: [raw] }).catch(() => {})
  }
  await send(0, 1n)
  await send(0, 1n, 12n)
  isRefusing = true
  await send(1, 1n)
  isRefusing = false
  await send(1, 2n)
  assert.deepEqual(checker.violations, [])
  assert.equal(checker.seen('transaction'), 2)
  assert.deepEqual(witness.counts(), { sent: 4, raised: 1 })
  await send(0, 2n)
  await send(1, 3n)
  assert.equal(checker.doubled('transaction'), 2)
  assert.equal(server.calls.length, 6)
  target = restarted.url // it has the first nonce and forgot the second
  await send(1, 4n)
  assert.equal(checker.doubled('transaction'), 2)
  await send(0, 3n)
  assert.equal(checker.doubled('transaction'), 3)
})

test('tap: what an operator votes is seen before it goes out; what it relays is its peers’', () => {
  const checker = createSigningChecker()
  const transport = createTap(checker.signed).through(deafTransport)
  const link = transport.join(digest('me'), () => {})
  const say = (validator: Hex, value: Hex | undefined) =>
    link.broadcast(encodeMessage(vote(validator, value)))
  say(digest('me'), digest('block'))
  say(digest('me'), digest('block'))
  say(digest('peer'), digest('one'))
  say(digest('peer'), digest('two'))
  assert.equal(checker.seen('vote'), 1)
  assert.deepEqual(checker.violations, [])
  say(digest('me'), undefined)
  assert.equal(checker.doubled('vote'), 1)
})

test('signature file: lines are taken once, and one that is half there when it is whole', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'signatures')
  const checker = createSigningChecker()
  const read = readSignatures(path, checker)
  read()
  appendFileSync(path, 'vote\t1 0 prevote\t0xaa\nvote\t1 0 precom')
  read()
  assert.equal(checker.seen('vote'), 1)
  appendFileSync(path, 'mit\t0xaa\nvote\t1 0 prevote\t0xbb\n')
  read()
  assert.equal(checker.seen('vote'), 2)
  assert.deepEqual(checker.violations, ['vote 1 0 prevote: 0xaa and 0xbb'])
})

/** A transport on which nobody listens. */
const deafTransport: Transport = {
  join: () => ({ peers: () => [], send: () => {}, broadcast: () => {}, leave: () => {} }),
  cut: () => {},
  heal: () => {},
}

const vote = (validator: Hex, value: Hex | undefined): Message => ({
  kind: 'votes',
  votes: [
    { step: 'prevote', height: 1, round: 0, value, validator, signature: `0x${'00'.repeat(64)}` },
  ],
})
