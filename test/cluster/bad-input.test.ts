// What no honest program sends: every operator refuses it for the same reason, and the next block
// comes.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { encodeMessage } from '#consensus'
import { devnetAccount, sendFirstTransfer } from '#devnet'
import { loadSecp256k1 } from '#node'
import { fromHex, type Hex, toHex } from '#primitives'
import {
  encodeTransaction,
  type OperatorId,
  type Report,
  reportDigest,
  type Transaction,
  taskDigest,
} from '#records'
import { encodeSymbol } from '#services/price'
import {
  allReach,
  type Cluster,
  type ClusterOperator,
  heldBlocks,
  type Said,
  startCluster,
} from '../support/cluster.ts'
import { underLoad } from '../support/cluster-load.ts'
import { embeddedStatus } from '../support/embedded.ts'
import { until, within } from '../support/waiting.ts'

let cluster: Cluster
before(async () => {
  cluster = await startCluster()
})
after(() => cluster?.stop())

const { sign } = loadSecp256k1()
const bytes32 = (byte: number): Hex => toHex(new Uint8Array(32).fill(byte))
const garbage = new Uint8Array([1, 2, 3])

/** A report by operator 1, signed by whoever's key it is. */
function report(changes: Partial<Report> = {}, signer: OperatorId = 1): Uint8Array {
  const said: Report = {
    network: cluster.operator(1).application.ledger.constants.network,
    operator: 1,
    sequence: Number.MAX_SAFE_INTEGER - 1,
    instance: bytes32(7),
    statements: [],
    ...changes,
  }
  const { secrets } = cluster.members[signer - 1] ?? assert.fail()
  const signature = toHex(sign(fromHex(reportDigest(said)), secrets.ledgerSecret))
  return encodeTransaction({ kind: 'report', report: said, signature })
}

/** A price task that its client has not signed. */
function unsignedTask(): Transaction & { kind: 'task' } {
  const request = {
    client: devnetAccount(9).address,
    service: 'price',
    payload: encodeSymbol('ETH/USD'),
    maxFee: 10n ** 15n,
    validUntilMs: Date.now() + 600_000,
    salt: bytes32(1),
  } as Parameters<typeof taskDigest>[1]
  const { network } = cluster.operator(1).application.ledger.constants
  const stranger = fromHex(devnetAccount(8).privateKey)
  const signature = toHex(sign(fromHex(taskDigest(network, request)), stranger))
  return { kind: 'task', request, signature }
}

const call = (service: string): Uint8Array =>
  encodeTransaction({ kind: 'call', service, payload: garbage })

/** Bytes that nobody may take, and why. */
const refusals = (): readonly (readonly [string, Uint8Array])[] => [
  ['BadEncoding', new Uint8Array()],
  ['BadEncoding', garbage],
  ['BadEncoding', report().subarray(0, 90)],
  ['WrongNetwork', report({ network: bytes32(9) })],
  ['BadSignature', report({}, 2)],
  ['UnknownOperator', report({ operator: 9 })],
  ['BadSignature', encodeTransaction(unsignedTask())],
  ['UnknownService', call('weather')],
  ['MalformedTransaction', call('sequencer')],
  ['Misplaced', encodeTransaction({ kind: 'randomness', proof: toHex(new Uint8Array(80)) })],
]

const isHeldBy = async (operator: ClusterOperator, bytes: Uint8Array): Promise<boolean> =>
  (await heldBlocks(cluster, operator)).some(({ transactions }) =>
    transactions.some((one) => Buffer.compare(one, bytes) === 0),
  )

const hasRefused = ({ said }: ClusterOperator, reason: string): boolean =>
  said.some(({ message, fields }) => message === 'proposal is invalid' && isFor(fields, reason))

const isFor = ({ reason }: Said['fields'], expected: string): boolean => reason === expected

test('cluster: what is malformed, forged or meant for another network is refused by every operator', async () => {
  const sequence = () => cluster.operator(1).application.ledger.operators.get('1')?.sequence ?? 0
  for (const operator of cluster.operators) {
    const reasons = await Promise.all(
      refusals().map(async ([expected, bytes]) => {
        const verdict = await operator.engine.submit(bytes)
        return [expected, verdict.ok ? 'taken' : verdict.reason]
      }),
    )
    for (const [expected, reason] of reasons) assert.equal(reason, expected)
  }
  await allReach(cluster, 1)
  await within('a confirmed transfer', sendFirstTransfer(cluster.operator(2).url))
  assert(sequence() < Number.MAX_SAFE_INTEGER - 1)
})

test('cluster: from a peer too, it is thrown away, and nobody stops', async () => {
  const intruder = cluster.transport.join('0xbad0', () => {})
  intruder.broadcast(garbage)
  for (const [, bytes] of refusals())
    intruder.broadcast(encodeMessage({ kind: 'transaction', bytes }))
  await allReach(cluster, 4)
  intruder.leave()
  for (const operator of cluster.operators) {
    const { BadEncoding: malformed } = embeddedStatus(operator).refused
    assert.equal(malformed, 1, 'the message that was none')
    for (const [reason, bytes] of refusals())
      assert(!(await isHeldBy(operator, bytes)), `${reason} in a block`)
  }
})

test('cluster: a proposal that holds an invalid transaction is voted down, and the next round decides', async () => {
  const bad = [
    ['BadEncoding', garbage],
    ['WrongNetwork', report({ network: bytes32(9) })],
    ['BadSignature', report({}, 2)],
  ] as const
  const [liar, ...honest] = [3, 1, 2, 4].map((id) => cluster.operator(id))
  assert(liar)
  const prepare = liar.application.prepareProposal.bind(liar.application)
  let turn = 0
  liar.application.prepareProposal = async (input) => {
    const wanted = await prepare(input)
    const [, bytes = garbage] = bad[turn++ % bad.length] ?? []
    return wanted.length > 0 ? [...wanted, bytes] : wanted
  }
  await underLoad(cluster, 5, async () => {
    for (const operator of honest)
      for (const [reason] of bad)
        await until(operator, `a proposal refused with ${reason}`, () =>
          hasRefused(operator, reason),
        )
  })
  liar.application.prepareProposal = prepare
  await allReach(cluster, 4)
  for (const operator of cluster.operators) {
    assert.notEqual(embeddedStatus(operator).phase, 'failed')
    for (const [reason, bytes] of bad)
      assert(!(await isHeldBy(operator, bytes)), `${reason} in a block`)
  }
})
