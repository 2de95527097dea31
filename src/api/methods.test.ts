import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NodeopApi, nodeopMethods, serveNodeop } from './methods.ts'
import { unknownProof } from './proof.ts'
import { RpcError } from './rpc-error.ts'
import { fromTaskRequest, toTaskRequest } from './task.ts'

const id = `0x${'ab'.repeat(32)}` as const
const request = {
  client: `0x${'CD'.repeat(20)}`,
  service: 'price',
  payload: '0x4554482F555344',
  maxFee: '1000',
  validUntilMs: 5,
  salt: id,
}
const signature = `0x${'11'.repeat(65)}`

/** An operator that says what it was asked. */
const api = {
  nodeop_getProof: async (subject) => unknownProof(subject, 'task'),
  nodeop_sendTask: async (task) => {
    assert.equal(task.request.client, `0x${'cd'.repeat(20)}`)
    return task.request.salt
  },
  nodeop_blocks: async (limit) => Array.from({ length: limit }, () => undefined as never),
} as Partial<NodeopApi> as NodeopApi
const methods = serveNodeop(api)

const messageOf = async (run: Promise<unknown>): Promise<string> => {
  const thrown = await run.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert(thrown instanceof RpcError)
  assert.equal(thrown.rpcCode, -32602)
  return thrown.message
}

test('serveNodeop: every method of the table is served', () =>
  assert.deepEqual(Object.keys(methods).sort(), Object.keys(nodeopMethods).sort()))

test('serveNodeop: hex in any case reaches the operator in lower case', async () => {
  assert.deepEqual(await methods.nodeop_getProof([id.toUpperCase().replace('0X', '0x')]), {
    subject: id,
    kind: 'task',
    status: 'unknown',
  })
  assert.equal(await methods.nodeop_sendTask([{ request, signature }]), id)
})

test('serveNodeop: a list method without a limit takes the default', async () => {
  for (const params of [[], [null]])
    assert.equal(((await methods.nodeop_blocks(params)) as unknown[]).length, 20)
})

test('serveNodeop: bad parameters are -32602, in the words of the Ethereum methods', async () => {
  const task = (changes: object) => [{ request: { ...request, ...changes }, signature }]
  const { salt: _, ...unsalted } = request
  for (const [method, params, message] of [
    ['nodeop_getProof', ['0x12'], 'invalid argument 0: subject must be 32 bytes'],
    ['nodeop_getProof', [7], 'invalid argument 0: subject must be a string'],
    ['nodeop_getProof', [], 'missing value for required argument 0 (subject)'],
    ['nodeop_getTask', [null], 'missing value for required argument 0 (id)'],
    ['nodeop_blocks', [101], 'invalid argument 0: limit must be at most 100'],
    ['nodeop_blocks', [0], 'invalid argument 0: limit must be at least 1'],
    ['nodeop_blocks', [1.5], 'invalid argument 0: limit must be an integer'],
    ['nodeop_blocks', ['0x1'], 'invalid argument 0: limit must be an integer'],
    ['nodeop_blocks', [1, 2], 'too many arguments, want at most 1'],
    ['nodeop_status', [1], 'too many arguments, want at most 0'],
    ['nodeop_sendTask', [[]], 'invalid argument 0: task must be an object'],
    ['nodeop_sendTask', [{ signature }], 'invalid argument 0: task.request is missing'],
    [
      'nodeop_sendTask',
      task({ maxFee: (2n ** 256n).toString() }),
      'invalid argument 0: task.request.maxFee must be below 2^256',
    ],
    [
      'nodeop_sendTask',
      task({ maxFee: 5 }),
      'invalid argument 0: task.request.maxFee must be a string',
    ],
    ['nodeop_sendTask', task({ extra: 1 }), 'invalid argument 0: task.request must have no extra'],
    [
      'nodeop_sendTask',
      [{ request: unsalted, signature }],
      'invalid argument 0: task.request.salt is missing',
    ],
  ] as const)
    assert.equal(await messageOf(methods[method](params)), message)
})

test('task requests: the wire form and the record are one to one', () => {
  const view = { ...request, client: `0x${'cd'.repeat(20)}`, payload: '0x4554482f555344' } as const
  assert.deepEqual(fromTaskRequest(toTaskRequest(view)), view)
})
