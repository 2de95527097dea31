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

test('serveNodeop: a list method without a limit takes the default', async () =>
  assert.equal(((await methods.nodeop_blocks([])) as unknown[]).length, 20))

test('serveNodeop: bad parameters are -32602 and say where and what', async () => {
  assert.match(await messageOf(methods.nodeop_getProof(['0x12'])), /\[0\]: must be 32 bytes/)
  assert.match(await messageOf(methods.nodeop_getProof([])), /expected/)
  assert.match(await messageOf(methods.nodeop_blocks([101])), /\[0\]: .*100/)
  assert.match(await messageOf(methods.nodeop_blocks([1, 2])), /array: /)
  const bad = { request: { ...request, maxFee: 1000 }, signature }
  assert.match(await messageOf(methods.nodeop_sendTask([bad])), /\[0\]\.request\.maxFee/)
  const huge = { request: { ...request, maxFee: (2n ** 256n).toString() }, signature }
  assert.match(await messageOf(methods.nodeop_sendTask([huge])), /below 2\^256/)
  const more = { request: { ...request, extra: 1 }, signature }
  assert.match(await messageOf(methods.nodeop_sendTask([more])), /extra/)
})

test('task requests: the wire form and the record are one to one', () => {
  const view = { ...request, client: `0x${'cd'.repeat(20)}`, payload: '0x4554482f555344' } as const
  assert.deepEqual(fromTaskRequest(toTaskRequest(view)), view)
})
