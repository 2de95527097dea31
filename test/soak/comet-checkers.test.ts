// What the checkers of `npm run soak -- cometbft` would see: they are no use if they see nothing.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { headerHash, type LightCommit, type LightHeader, readSignedHeader } from '#consensus'
import { toHex } from '#primitives'
import { encodeTransaction } from '#records'
import {
  cannedL1,
  gatewayMethods,
  outbox,
  taskId,
  transactionHash,
  word,
} from '../support/canned-network.ts'
import { type Answer, serveJsonRpc } from '../support/json-rpc-server.ts'
import { LedgerNetwork } from '../support/ledger-network.ts'
import { createSigningChecker } from '../support/signing-checker.ts'
import { createCometHistory } from './comet-history.ts'
import { settle } from './settling.ts'

/** Blocks 120 to 128 of a network of CometBFT, as its RPC told of them. */
const chain = (
  JSON.parse(
    readFileSync(
      new URL('../../src/consensus/light/test-support/comet-chain.json', import.meta.url),
      'utf8',
    ),
  ) as readonly { readonly signed_header: unknown }[]
).map(({ signed_header }) => readSignedHeader(signed_header))

/** The block with another header, and a commit for it. */
function doctored(
  { header, commit }: { readonly header: LightHeader; readonly commit: LightCommit },
  changes: Partial<LightHeader>,
) {
  const other = { ...header, ...changes }
  const { height } = other
  const block = { ...commit.block, hash: headerHash(other) }
  return { header: other, commit: { ...commit, height, block, signatures: [] } }
}

/** A history that four operators have shown alike. */
function soundHistory() {
  const checker = createSigningChecker()
  const history = createCometHistory(checker)
  for (const operator of [1, 2, 3, 4])
    for (const { header, commit } of chain) {
      history.block(operator, header, commit)
      history.newest(operator, header.height)
      history.application(operator, header.height - 1, header.appHash)
    }
  const last = chain.at(-1)
  assert(last)
  return { checker, history, last }
}

test('history: what all operators show alike is sound', () => {
  const { checker, history, last } = soundHistory()
  assert.deepEqual([history.problems, checker.violations], [[], []])
  assert.equal(history.height(), last.header.height)
  assert(checker.seen('vote') > 20)
  const { proposerAddress, height } = last.header
  const proposed = history.firstOf('proposal', proposerAddress)
  assert(proposed !== undefined && proposed <= height)
  assert.equal(history.firstOf('proposal', '0x'), undefined)
})

test('history: another block at a height is a fork', () => {
  const { history, last } = soundHistory()
  const other = doctored(last, { dataHash: word(1) })
  history.block(3, other.header, other.commit)
  assert.match(history.problems[0] ?? '', /^block hash at operator 3, 128: .*, and /)
  history.block(4, other.header, last.commit)
  const words = 'block 128 of operator 4 is not what its commit is for'
  assert(history.problems.includes(words))
})

test('history: another app hash is a fork, in a block or in an application alone', () => {
  const { history, last } = soundHistory()
  const { height } = last.header
  history.application(2, height - 1, word(1))
  assert.match(history.problems[0] ?? '', /^app hash that operator 2 computed, after 127: /)
  history.application(1, height, word(2))
  const next = doctored(last, { height: height + 1, appHash: word(3) })
  history.block(4, next.header, next.commit)
  assert.match(history.problems[1] ?? '', /^app hash in operator 4's blocks, after 128: /)
})

test('history: blocks that are gone, and a forgotten vote, are told', () => {
  const { history } = soundHistory()
  history.newest(4, 125)
  history.signState(4, { height: 128, round: 0, step: 3 })
  history.signState(4, { height: 128, round: 1, step: 1 })
  history.signState(4, { height: 128, round: 0, step: 3 })
  assert.deepEqual(history.problems, [
    'operator 4 has lost blocks 126 to 128',
    'operator 4 has forgotten what it signed: height 128, round 1, step 1',
  ])
})

test('history: two precommits of a round, and two reports of a sequence, are double', () => {
  const { history, checker, last } = soundHistory()
  const [first, ...others] = last.commit.signatures
  assert(first)
  const forged = { ...first, signature: toHex(new Uint8Array(64)) }
  history.block(1, last.header, { ...last.commit, signatures: [forged, ...others] })
  assert.equal(checker.doubled('vote'), 1)
  const network = new LedgerNetwork(4)
  const reports = [word(1), word(2)].map((instance) =>
    encodeTransaction(network.report(2, [], { sequence: 7, instance })),
  )
  history.content(last.header.height, reports, [])
  assert.equal(history.firstOf('report', 2), last.header.height)
  assert.equal(checker.doubled('report'), 1)
})

/** What a network of a canned gateway and L1 has made of one transaction and one task. */
async function settleCanned(t: TestContext, changes: Readonly<Record<string, Answer>> = {}) {
  const { methods, mine } = cannedL1(1)
  mine()
  const gateway = await serveJsonRpc(t, { ...gatewayMethods, ...changes })
  const l1 = await serveJsonRpc(t, methods)
  const sentOf = (id: typeof taskId) =>
    ({ id, requestedMs: 0, status: 'accepted', reason: '', isUncertain: false }) as const
  const sent = (id: typeof taskId) =>
    new Map([[id, { ...sentOf(id), answered: { gateway: 'g', atMs: 0 } }]])
  const records = {
    ...{ transactions: sent(transactionHash), tasks: sent(taskId) },
    ...{ span: { startMs: 0, stopMs: 0 } },
    unsent: { transactions: new Map(), tasks: new Map() },
  }
  return settle({ records }, { gateways: [gateway.url], l1Url: l1.url, outbox }, 0)
}

test('settling: what is on L1 has ended, and what no gateway knows is lost', async (t) => {
  const whole = { accepted: 2, lost: 0, twice: 0, problems: [] }
  assert.deepEqual(await settleCanned(t), whole)
  const proofOf = gatewayMethods['nodeop_getProof']
  assert(proofOf)
  const forgetful: Answer = (params) =>
    params[0] === transactionHash
      ? { subject: transactionHash, kind: 'transaction', status: 'unknown' }
      : proofOf(params)
  const { problems, ...counts } = await settleCanned(t, { nodeop_getProof: forgetful })
  assert.deepEqual(counts, { accepted: 2, lost: 1, twice: 0 })
  assert.equal(problems.length, 1)
  const accepted = `${transactionHash}, due at 1970-01-01T00:00:00.000Z, accepted by g at 1970-01-01`
  assert(problems[0]?.startsWith(`transaction ${accepted}`))
  assert.match(problems[0] ?? '', /is lost: http:\S+ unknown$/)
})
