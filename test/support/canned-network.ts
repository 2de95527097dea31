// A network's outbox of two leaves, as a gateway and an L1 node would tell of it: one L2 block with
// one transaction, and one task. Hashes are true, so that proofs hold; nothing else is.
import { toRlp } from 'viem'
import { type ProofView, type StatusView, toLeafView } from '#api'
import { fromHex, type Hex, keccak256Hex, toHex } from '#primitives'
import type { Leaf } from '#records'
import type { Answer } from './json-rpc-server.ts'
import { outboxLog } from './outbox-logs.ts'

/** 32 bytes with this value. */
export const word = (value: number): Hex => `0x${value.toString(16).padStart(64, '0')}`

const account = (value: number): Hex => `0x${value.toString(16).padStart(40, '0')}`

/** Address of the canned Outbox. */
export const outbox = account(0xb0)

const raw = toHex(new Uint8Array(110).fill(2))
/** The one L2 transaction, and the id of the one task. */
export const transactionHash = keccak256Hex(fromHex(raw))
export const taskId = word(0x7a)

/**
 * RLP of the trie's only node: the rest of the path (both nibbles of the key 0x80), then the value.
 */
const trieNode = toRlp(['0x2080', raw])
const headerFields: Hex[] = Array.from({ length: 16 }, () => word(1))
headerFields[4] = keccak256Hex(fromHex(trieNode))
headerFields[8] = '0x05'
const headerRlp = toRlp(headerFields)
const blockHash = keccak256Hex(fromHex(headerRlp))

const leafOf = (changes: Partial<Leaf>): Leaf => ({
  index: 0,
  service: 'sequencer',
  kind: 'block',
  subject: blockHash,
  rule: 'replicated',
  agreeingWeight: 4,
  committeeWeight: 4,
  stakeWei: 5n,
  body: Uint8Array.of(1, 2, 3),
  ...changes,
})

const leaves = [
  toLeafView(leafOf({})),
  toLeafView(
    leafOf({ index: 1, service: 'price', kind: 'result', subject: taskId, rule: 'median' }),
  ),
] as const

const root = keccak256Hex(...leaves.map(({ hash }) => fromHex(hash)))

const checkpoint = { index: 1, size: 2, root, startS: 10, windowS: 4, submitters: [1] }

const l1 = { chainId: 31_337, outbox, transaction: word(0xc1), block: 3 }

/** What `nodeop_getProof` answers for the transaction and for the task. */
export const transactionProof: ProofView = {
  subject: transactionHash,
  kind: 'transaction',
  status: 'onL1',
  transaction: {
    hash: transactionHash,
    index: 0,
    blockHash,
    blockNumber: 5,
    headerRlp,
    trieProof: [trieNode],
  },
  leaf: leaves[0],
  siblings: [leaves[1].hash],
  checkpoint,
  l1,
}
export const taskProof: ProofView = {
  subject: taskId,
  kind: 'task',
  status: 'settled',
  leaf: leaves[1],
  siblings: [leaves[0].hash],
  checkpoint,
  l1: { ...l1, executed: { transaction: word(0xc2), success: true } },
}

/** A gateway of that network. */
export const gatewayMethods: Readonly<Record<string, Answer>> = {
  eth_blockNumber: () => '0x5',
  eth_getBlockByNumber: ([tag]) => block(tag === 'latest' ? 5 : Number(tag)),
  eth_getTransactionReceipt: ([hash]) =>
    hash === transactionHash
      ? { transactionHash: hash, blockNumber: '0x5', blockHash, status: '0x1', logs: [] }
      : null,
  nodeop_checkpoints: () => [
    {
      ...checkpoint,
      status: 'certified',
      cutMs: 1,
      certifiedMs: 2,
      signature: `0x${'22'.repeat(65)}`,
    },
  ],
  nodeop_getProof: ([subject]) =>
    [transactionProof, taskProof].find((proof) => proof.subject === subject) ?? {
      subject,
      kind: 'transaction',
      status: 'unknown',
    },
  nodeop_getTask: ([id]) => (id === taskId ? task : null),
  nodeop_blocks: () => [],
  nodeop_operators: () => [],
  nodeop_status: () => status,
}

const status: StatusView = {
  version: '0.0.0',
  engine: 'embedded',
  operator: { id: 1, name: 'operator-1' },
  ready: true,
  network: {
    id: word(7),
    name: 'canned',
    operators: 4,
    threshold: 3,
    groupKey: `0x02${'11'.repeat(32)}`,
  },
  ledger: { height: 5, timeMs: 1_000_000, appHash: word(8), epoch: 3 },
  l1: { chainId: 31_337, outbox, serviceManager: account(6), block: 3, events: 1 },
  outbox: { leaves: 2, cut: 1, certified: 1, onL1: 1 },
  tasks: { open: 0, settled: 1, expired: 0 },
  gateways: [],
}

const block = (number: number) => ({
  number: `0x${number.toString(16)}`,
  hash: number === 5 ? blockHash : word(number),
  transactions: number === 5 ? [transactionHash] : [],
})

const task = {
  id: taskId,
  request: {
    client: account(1),
    service: 'price',
    payload: '0x',
    maxFee: '1',
    validUntilMs: 1,
    salt: word(1),
  },
  status: 'settled',
  fee: '0',
  attempt: 1,
  acceptedHeight: 1,
  drawnHeight: 2,
  deadlineMs: 3,
  committee: [],
  agreeing: [],
  leafIndex: 1,
  reason: '',
  audit: 'none',
}

/**
 * An L1 that mines block 3, with the checkpoint and the task's execution, when `mine` is called.
 */
export function cannedL1(executions = 1): {
  readonly methods: Readonly<Record<string, Answer>>
  readonly mine: () => void
} {
  let head = 2
  const logs = [recordedLog(0), ...Array.from({ length: executions }, (_, i) => executedLog(1 + i))]
  return {
    mine: () => {
      head = 3
    },
    methods: {
      eth_blockNumber: () => `0x${head.toString(16)}`,
      eth_getLogs: ([filter]) => {
        const { fromBlock } = filter as { readonly fromBlock: Hex }
        return head === 3 && Number(fromBlock) <= 3 ? logs : []
      },
      eth_call: () => word(1),
      eth_getTransactionReceipt: () => ({
        transactionHash: word(0xc1),
        gasUsed: '0xdac0',
        status: '0x1',
        logs: [],
      }),
    },
  }
}

const place = (logIndex: number, transaction: Hex) => ({
  address: outbox,
  blockNumber: '0x3',
  blockHash: word(3),
  transactionHash: transaction,
  transactionIndex: '0x0',
  logIndex: `0x${logIndex.toString(16)}`,
  removed: false,
})

const recordedLog = (logIndex: number) => ({
  ...place(logIndex, word(0xc1)),
  ...outboxLog('CheckpointRecorded', {
    index: 1n,
    size: 2n,
    root,
    operator: 1,
    window: 1,
    submitter: account(9),
    time: 12n,
    pay: 0n,
  }),
})

const executedLog = (logIndex: number) => ({
  ...place(logIndex, word(0xc2)),
  ...outboxLog('LeafExecuted', {
    leafIndex: 1n,
    service: word(2),
    subject: taskId,
    success: true,
    executor: account(9),
  }),
})
