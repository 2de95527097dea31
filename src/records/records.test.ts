import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashTypedData } from 'viem'
import {
  decodeTransaction,
  encodeTransaction,
  type Leaf,
  leafHash,
  type TaskRequest,
  type Transaction,
  taskDigest,
  taskTypes,
  typedDataDomain,
} from '#records'

const network = `0x${'ab'.repeat(32)}` as const
const request: TaskRequest = {
  client: `0x${'11'.repeat(20)}`,
  service: 'price',
  payload: new Uint8Array([1, 2, 3]),
  maxFee: (10n ** 15n) as TaskRequest['maxFee'],
  validUntilMs: 1_800_000_000_000,
  salt: `0x${'22'.repeat(32)}`,
}
const signature = `0x${'33'.repeat(65)}` as const

test('transaction: every kind survives a round trip', () => {
  const view = { block: 7, events: 2, digest: network, fork: false }
  const all: Transaction[] = [
    { kind: 'randomness', proof: `0x${'44'.repeat(80)}` },
    { kind: 'task', request, signature },
    { kind: 'call', service: 'sequencer', payload: new Uint8Array([9]) },
    {
      kind: 'l1-events',
      events: [
        {
          kind: 'deposited',
          block: 1,
          transaction: network,
          logIndex: 0,
          account: request.client,
          amountWei: 5n,
        },
      ],
    },
    {
      kind: 'report',
      signature,
      report: {
        network,
        operator: 3,
        sequence: 9,
        instance: network,
        statements: [
          { kind: 'view', view },
          { kind: 'commit', task: network, attempt: 1, digest: network },
          {
            kind: 'declare',
            declaration: {
              capacity: 300,
              costs: [{ service: 'price', cost: 7n as TaskRequest['maxFee'] }],
              group: 'acme',
            },
          },
          {
            kind: 'nonces',
            commitments: [
              { index: 4, hiding: `0x${'02'.repeat(33)}`, binding: `0x${'03'.repeat(33)}` },
            ],
          },
        ],
      },
    },
  ]
  for (const one of all) assert.deepEqual(decodeTransaction(encodeTransaction(one)), one)
})

test('transaction: bytes that are none are refused with BadEncoding', () => {
  for (const bytes of [new Uint8Array(), new Uint8Array([9]), new Uint8Array(100).fill(255)])
    assert.throws(() => decodeTransaction(bytes), { code: 'BadEncoding' })
})

test('task: its id is the EIP-712 digest that wallets compute', () => {
  const message = {
    ...request,
    payload: '0x010203' as const,
    validUntilMs: BigInt(request.validUntilMs),
  }
  assert.equal(
    taskDigest(network, request),
    hashTypedData({
      domain: typedDataDomain(network),
      types: taskTypes,
      primaryType: 'Task',
      message,
    }),
  )
})

test('leaf: another field gives another hash', () => {
  const leaf: Leaf = {
    index: 0,
    service: 'price',
    kind: 'result',
    subject: network,
    rule: 'median',
    agreeingWeight: 3,
    committeeWeight: 4,
    stakeWei: 0n,
    body: new Uint8Array([1]),
  }
  assert.notEqual(leafHash(leaf), leafHash({ ...leaf, agreeingWeight: 4 }))
})
