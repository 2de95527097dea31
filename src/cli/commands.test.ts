import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { recoverTypedDataAddress } from 'viem'
import {
  isMistake,
  type NodeopApi,
  type OperatorView,
  type ProofView,
  parseRpcBody,
  RpcError,
  type RpcMethod,
  refusal,
  type SignedTask,
  type StatusView,
  serveNodeop,
  type TaskView,
  toErrorResponse,
  toFault,
  toJson,
  toLeafView,
  toResultResponse,
  toTaskRequest,
  unknownProof,
} from '#api'
import { type Hex, RangeIndex, toHex } from '#primitives'
import { type Leaf, taskDigest, taskTypes, typedDataDomain } from '#records'
import { outboxLog } from '../../test/support/outbox-logs.ts'
import { runCli } from './program.ts'

const word = (byte: number): Hex => toHex(new Uint8Array(32).fill(byte))
const account = (byte: number): Hex => toHex(new Uint8Array(20).fill(byte))
const network = word(77)

/** A JSON-RPC server over some methods, for as long as the test runs. */
async function serve(t: TestContext, methods: Record<string, RpcMethod>): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = parseRpcBody(Buffer.concat(chunks).toString())
    assert(!(body instanceof RpcError))
    const [entry] = body.entries
    assert(entry && !isMistake(entry))
    const run = methods[entry.method] ?? (async () => assert.fail(entry.method))
    const answer = await run(entry.params).then(
      (result) => toResultResponse(entry.id ?? null, result),
      (error: unknown) => toErrorResponse(entry.id ?? null, toFault(error)),
    )
    response.setHeader('content-type', 'application/json').end(toJson(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  assert(typeof address === 'object' && address)
  return `http://127.0.0.1:${address.port}`
}

const gateway = (t: TestContext, api: Partial<NodeopApi>): Promise<string> =>
  serve(t, serveNodeop({ ...standing, ...api } as NodeopApi))

async function run(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const io = { write: (line: string) => out.push(line), error: (line: string) => err.push(line) }
  const code = await runCli(args, { io, env: {}, cwd: '/' })
  return { code, text: out.join('\n'), err: err.join('\n'), json: () => JSON.parse(out.join('')) }
}

const status: StatusView = {
  version: '1.2.3',
  engine: 'embedded',
  operator: { id: 1, name: 'operator-1' },
  ready: true,
  network: {
    id: network,
    name: 'devnet',
    operators: 4,
    threshold: 3,
    groupKey: `0x02${'11'.repeat(32)}`,
  },
  ledger: { height: 12, timeMs: 1_700_000_000_000, appHash: word(1), epoch: 3 },
  l1: { chainId: 31_337, outbox: account(5), serviceManager: account(6), block: 9, events: 3 },
  outbox: { leaves: 5, cut: 2, certified: 2, onL1: 1 },
  tasks: { open: 0, settled: 1, expired: 0 },
  gateways: [],
}

const operator: OperatorView = {
  id: 1,
  name: 'operator-1',
  status: 'active',
  power: '1',
  ledgerAddress: account(1),
  consensusKey: word(2),
  l1Account: account(3),
  sequence: 4,
  view: { block: 9, events: 3, digest: word(4), fork: false },
  missedWindows: 0,
  silentSessions: 0,
}

const standing: Partial<NodeopApi> = {
  nodeop_status: async () => status,
  nodeop_operators: async () => [operator],
  nodeop_services: async () => [
    {
      name: 'price',
      mode: 'assigned',
      rule: 'median',
      committee: 4,
      fee: '1000',
      commitMs: 1,
      revealMs: 1,
      toleranceBps: 100,
      requires: [],
      consumer: account(7),
    },
  ],
}

test('status: tells how far the network is, and each operator', async (t) => {
  const url = await gateway(t, {})
  const { code, text } = await run('status', '--rpc', url)
  assert.equal(code, 0)
  assert.match(text, /^devnet: serving; answered by operator 1/)
  assert.match(text, /consensus +height 12/)
  assert.match(text, /^1 +operator-1 +active/m)
  assert.equal((await run('status', '--json', '--rpc', url)).json().status.ledger.height, 12)
})

test('status: not ready is exit code 1, with the reason', async (t) => {
  const url = await gateway(t, {
    nodeop_status: async () => ({ ...status, ready: false, reason: 'CatchingUp' }),
  })
  const { code, text } = await run('status', '--rpc', url)
  assert.equal(code, 1)
  assert.match(text, /not ready: CatchingUp/)
})

const idOf = ({ request }: SignedTask): Hex => taskDigest(network, toTaskRequest(request))

test('task send: what is sent is signed by the client, for this network', async (t) => {
  const sent: SignedTask[] = []
  const url = await gateway(t, {
    nodeop_sendTask: async (task) => {
      sent.push(task)
      return idOf(task)
    },
  })
  const { code, json } = await run('task', 'send', 'price', 'ETH/USD', '--json', '--rpc', url)
  const [task] = sent
  assert(code === 0 && task)
  assert.equal(json().id, idOf(task))
  const { request, signature } = task
  assert.deepEqual([request.payload, request.maxFee], ['0x4554482f555344', '1000'])
  const signer = await recoverTypedDataAddress({
    domain: typedDataDomain(network),
    types: taskTypes,
    primaryType: 'Task',
    message: {
      ...request,
      maxFee: BigInt(request.maxFee),
      validUntilMs: BigInt(request.validUntilMs),
    },
    signature,
  })
  assert.equal(signer.toLowerCase(), request.client)
})

test('task send: a refusal, another id and an unknown service are one line each', async (t) => {
  const refusing = await gateway(t, {
    nodeop_sendTask: () => Promise.reject(refusal('InsufficientFunds', 'holds 0')),
  })
  const lying = await gateway(t, { nodeop_sendTask: async () => word(1) })
  const send = (service: string, url: string) => run('task', 'send', service, 'A/B', '--rpc', url)
  const refused = await send('price', refusing)
  assert.deepEqual([refused.code, refused.err], [1, 'nodeop: InsufficientFunds: holds 0'])
  const other = await send('price', lying)
  assert.equal(other.code, 1)
  assert.match(other.err, /another id/)
  const unknown = await send('weather', lying)
  assert.equal(unknown.code, 2)
  assert.equal(unknown.err, 'nodeop: service "weather" is not allowed; allowed: price')
})

/** A task's proof at each look: the last one stays. */
function course(stages: readonly ((id: Hex, task: SignedTask) => ProofView)[]) {
  const sent: SignedTask[] = []
  let look = 0
  const api: Partial<NodeopApi> = {
    nodeop_sendTask: async (task) => {
      sent.push(task)
      return idOf(task)
    },
    nodeop_getProof: async (id) => {
      const stage = stages[Math.min(look++, stages.length - 1)]
      assert(stage && sent[0])
      return stage(id, sent[0])
    },
  }
  return api
}

const taskView = (id: Hex, { request }: SignedTask, changes: Partial<TaskView>): TaskView => ({
  id,
  request,
  status: 'committing',
  fee: '1000',
  attempt: 1,
  acceptedHeight: 1,
  drawnHeight: 2,
  deadlineMs: 3,
  committee: [{ operator: 1, weight: 1, committedAt: 0 }],
  agreeing: [],
  leafIndex: 0,
  reason: '',
  audit: 'none',
  ...changes,
})

test('task send --wait: each step once, then the price', async (t) => {
  const result: Hex = `0x${312_345_000_000n.toString(16).padStart(64, '0')}`
  const url = await gateway(
    t,
    course([
      (id) => ({ ...unknownProof(id, 'task'), status: 'accepted' }),
      (id, task) => ({
        ...unknownProof(id, 'task'),
        status: 'confirmed',
        task: taskView(id, task, {}),
      }),
      (id, task) => ({
        ...unknownProof(id, 'task'),
        status: 'settled',
        task: taskView(id, task, { status: 'settled', result }),
      }),
    ]),
  )
  const { code, text } = await run('task', 'send', 'price', 'ETH/USD', '--wait', '--rpc', url)
  assert.equal(code, 0)
  assert.deepEqual(text.split('\n').slice(1), [
    '  accepted: waits for a block',
    '  committee: 0 of 1 committed',
    '  settled',
    'settled: 3123.45000000',
  ])
})

test('task send --wait: a task that expires is exit code 1 with its reason', async (t) => {
  const url = await gateway(
    t,
    course([(id) => ({ ...unknownProof(id, 'task'), status: 'expired', reason: 'NoAgreement' })]),
  )
  const { code, json } = await run('task', 'send', 'price', 'A/B', '--wait', '--json', '--rpc', url)
  assert.equal(code, 1)
  assert.deepEqual([json().status, json().reason, json().isOver], ['expired', 'NoAgreement', true])
})

/** The proof of a task whose leaf is the third of five, and its Outbox's root. */
function provenTask(): ProofView {
  const leaf: Leaf = {
    index: 2,
    service: 'price',
    kind: 'result',
    subject: word(9),
    rule: 'median',
    agreeingWeight: 3,
    committeeWeight: 4,
    stakeWei: 0n,
    body: new Uint8Array(96),
  }
  const view = toLeafView(leaf)
  const range = new RangeIndex()
  for (const hash of [word(1), word(2), view.hash, word(3), word(4)]) range.append(hash)
  const checkpoint = { index: 7, size: 5, startS: 1, windowS: 4, submitters: [1] }
  return {
    subject: word(9),
    kind: 'task',
    status: 'onL1',
    leaf: view,
    siblings: [...range.prove(2, 5)],
    checkpoint: { ...checkpoint, root: range.root(5) },
    l1: { chainId: 31_337, outbox: account(5), transaction: word(8), block: 44 },
  }
}

/** The answers of an L1 node about our Outbox: whether the ring holds the root, and the event. */
const l1Node = (isInRing: boolean, recordedRoot: Hex, size = 5n): Record<string, RpcMethod> => ({
  eth_chainId: async () => '0x7a69',
  eth_call: async () =>
    toHex(Uint8Array.from({ length: 32 }, (_, i) => (isInRing && i > 30 ? 1 : 0))),
  eth_getTransactionReceipt: async () => ({
    transactionHash: word(8),
    status: '0x1',
    logs: [
      {
        address: account(5),
        ...outboxLog('CheckpointRecorded', {
          index: 7n,
          size,
          root: recordedRoot,
          operator: 1,
          window: 0,
          submitter: account(3),
          time: 5n,
          pay: 0n,
        }),
        blockNumber: '0x2c',
        blockHash: word(3),
        transactionHash: word(8),
        transactionIndex: '0x0',
        logIndex: '0x0',
        removed: false,
      },
    ],
  }),
})

test('prove: the whole path is printed and checked, here and on L1', async (t) => {
  const proof = provenTask()
  const url = await gateway(t, { nodeop_getProof: async () => proof })
  const root = proof.checkpoint?.root as Hex
  for (const isInRing of [true, false]) {
    const l1 = await serve(t, l1Node(isInRing, root))
    const { code, text } = await run('prove', word(9), '--rpc', url, '--l1', l1)
    assert.equal(code, 0, text)
    const lines = text.split('\n')
    assert.match(lines[0] ?? '', /^task 0x0909.* \(onL1\)$/)
    assert.match(lines[1] ?? '', /^└─ leaf 2 0x\w+ of price \(rule median, weight 3 of 4\)$/)
    assert.match(lines[2] ?? '', /^ {3}└─ root 0x\w+ of checkpoint 7 \(5 leaves, 3 siblings\)$/)
    assert.match(lines[3] ?? '', /^ {6}└─ L1 transaction 0x0808.* in block 44 of chain 31337$/)
    assert.match(lines[4] ?? '', /^checked here: the path holds/)
    assert.match(lines[5] ?? '', /^checked on L1 at .*the Outbox has recorded this root/)
  }
})

test('prove: a root or size that L1 does not know, and another chain, fail', async (t) => {
  const url = await gateway(t, { nodeop_getProof: async () => provenTask() })
  const root = provenTask().checkpoint?.root as Hex
  const otherSize = await serve(t, l1Node(false, root, 6n))
  const sized = await run('prove', word(9), '--rpc', url, '--l1', otherSize, '--json')
  assert.deepEqual([sized.code, sized.json().recorded.reason], [1, 'RootNotRecorded'])
  const empty = { ...l1Node(false, root), eth_getTransactionReceipt: async () => null }
  const without = await serve(t, empty)
  const unheard = await run('prove', word(9), '--rpc', url, '--l1', without, '--json')
  assert.deepEqual([unheard.code, unheard.json().recorded.reason], [1, 'RootNotRecorded'])
  const other = await serve(t, l1Node(false, word(5)))
  const unknown = await run('prove', word(9), '--rpc', url, '--l1', other, '--json')
  assert.equal(unknown.code, 1)
  assert.deepEqual(unknown.json().verified, { ok: true })
  assert.equal(unknown.json().recorded.reason, 'RootNotRecorded')
  const foreign = await serve(t, { ...l1Node(true, word(5)), eth_chainId: async () => '0x1' })
  const wrong = await run('prove', word(9), '--rpc', url, '--l1', foreign)
  assert.equal(wrong.code, 1)
  assert.match(wrong.text, /WrongL1Chain/)
})

test('prove: a path that does not hold, or is about something else, fails', async (t) => {
  const proof = provenTask()
  const broken = await gateway(t, {
    nodeop_getProof: async () => ({ ...proof, siblings: [word(1), word(1), word(1)] }),
  })
  const result = await run('prove', word(9), '--rpc', broken)
  assert.equal(result.code, 1)
  assert.match(result.text, /does not hold \(NotInOutbox\)/)
  const other = await run('prove', word(10), '--rpc', broken, '--json')
  assert.deepEqual([other.code, other.json().verified.reason], [1, 'SubjectMismatch'])
})

test('prove: what is not provable yet is exit code 1 and says what it waits for', async (t) => {
  const url = await gateway(t, { nodeop_getProof: async (id) => unknownProof(id, 'transaction') })
  const unknown = await run('prove', word(3), '--rpc', url)
  assert.equal(unknown.code, 1)
  assert.match(unknown.text, /not provable yet: unknown to this operator/)
  const { l1: _none, ...certified } = provenTask()
  const waiting = await gateway(t, {
    nodeop_getProof: async () => ({ ...certified, status: 'certified' }),
  })
  const notYet = await run('prove', word(9), '--rpc', waiting)
  assert.equal(notYet.code, 1)
  assert.match(notYet.text, /not on L1 yet/)
})
