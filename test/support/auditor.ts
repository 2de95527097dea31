// Recounts what a network says it did, from two public endpoints: with viem, and `nodeop_getProof`
// of one gateway. Nothing that the network claims is taken for true that can be checked.
import { createPublicClient, http, type PublicClient, parseAbi } from 'viem'
import { followProof, type Path, type Proof } from './auditor-proof.ts'

type Hex = `0x${string}`

/** What to recount, and where. */
export type AuditOptions = {
  readonly gatewayUrl: string
  readonly l1Url: string
  /** Address of the Outbox on L1. */
  readonly outbox: Hex
  /** Hashes of accepted L2 transactions, and ids of accepted tasks. */
  readonly transactions: readonly Hex[]
  readonly tasks: readonly Hex[]
}

/** How many of the subjects reached what. */
export type Audit = {
  readonly transactions: {
    readonly sent: number
    /** Listed by an L2 block, with a receipt from the same block. */
    readonly confirmed: number
    /** Their path leads to the root of a checkpoint. */
    readonly certified: number
    /** And L1 has recorded that root. */
    readonly onL1: number
  }
  readonly tasks: {
    readonly sent: number
    readonly certified: number
    /** L1 has recorded the root and executed the leaf. */
    readonly onL1: number
    /** The network says that it paid; only the network knows. */
    readonly settled: number
    readonly expired: number
  }
  /** Checkpoints that L1 recorded, and how many of them after their first window. */
  readonly checkpoints: { readonly onL1: number; readonly byFallback: number }
  /** Hashes listed twice, leaves executed twice, tasks or blocks under two leaves. */
  readonly twice: readonly string[]
  /** What does not fit together, in words. */
  readonly problems: readonly string[]
}

const outboxAbi = parseAbi([
  'function isRecorded(uint64 index, uint64 size, bytes32 root) view returns (bool)',
  'event CheckpointRecorded(uint64 indexed index, uint64 size, bytes32 root, uint16 operator, uint8 window, address submitter, uint64 time, uint256 pay)',
  'event LeafExecuted(uint64 indexed leafIndex, bytes32 indexed service, bytes32 indexed subject, bool success, address executor)',
])

/** Requests at a time: a gateway takes 20 in a batch, and a few batches at once. */
const batchSize = 20
const requestsAtOnce = 100
/**
 * A gateway on a busy machine may not serve for a while: after each try twice as long is waited.
 */
const retryCount = 9
const timeout = 60_000

const connect = (url: string): PublicClient =>
  createPublicClient({ transport: http(url, { batch: { batchSize }, retryCount, timeout }) })

/** Recounts a run. */
export async function audit(options: AuditOptions): Promise<Audit> {
  const gateway = connect(options.gatewayUrl)
  const problems: string[] = []
  const listed = await listTransactions(gateway)
  const l1 = await readL1(connect(options.l1Url), options.outbox)
  const subjects = [...options.transactions, ...options.tasks]
  const proofs = await inTurns(subjects, (subject) => proofOf(gateway, subject))
  const paths = new Map<Hex, Path>()
  for (const proof of proofs) {
    const path = followProof(proof)
    if (typeof path !== 'string') paths.set(proof.subject, path)
    else if (proof.status !== 'expired') problems.push(`${proof.subject}: ${path}`)
  }
  const { confirmed, wrong } = await confirm(gateway, options.transactions, listed)
  const recorded = await recordedPaths(l1, [...paths.values()])
  const statuses = new Map(proofs.map(({ subject, status }) => [subject, status]))
  const { transactions, tasks } = options
  const countTasks = (status: string) => tasks.filter((id) => statuses.get(id) === status).length
  const isExecuted = (id: Hex): boolean =>
    l1.executed.some(
      ({ leafIndex, subject }) => subject === id && leafIndex === paths.get(id)?.leafIndex,
    )
  return {
    transactions: {
      sent: transactions.length,
      confirmed,
      certified: transactions.filter((hash) => paths.has(hash)).length,
      onL1: transactions.filter((hash) => recorded.has(hash)).length,
    },
    tasks: {
      sent: tasks.length,
      certified: tasks.filter((id) => paths.has(id)).length,
      onL1: tasks.filter((id) => recorded.has(id) && isExecuted(id)).length,
      settled: countTasks('settled'),
      expired: countTasks('expired'),
    },
    checkpoints: {
      onL1: l1.recorded.length,
      byFallback: l1.recorded.filter(({ window }) => window > 0).length,
    },
    twice: [
      ...[...listed].filter(([, blocks]) => blocks.length > 1).map(([hash]) => hash),
      ...twiceExecuted(l1.executed),
      ...twiceUnderLeaves([...paths.values()]),
    ],
    problems: [...problems, ...wrong],
  }
}

/** The blocks that list each transaction of the whole L2 chain. */
async function listTransactions(gateway: PublicClient): Promise<ReadonlyMap<Hex, readonly Hex[]>> {
  const latest = Number(await gateway.getBlockNumber())
  const numbers = Array.from({ length: latest + 1 }, (_, number) => BigInt(number))
  const blocks = await inTurns(numbers, (blockNumber) => gateway.getBlock({ blockNumber }))
  const listed = new Map<Hex, Hex[]>()
  for (const { hash, transactions } of blocks)
    for (const transaction of transactions) {
      const known = listed.get(transaction)
      if (known) known.push(hash)
      else listed.set(transaction, [hash])
    }
  return listed
}

async function confirm(
  gateway: PublicClient,
  transactions: readonly Hex[],
  listed: ReadonlyMap<Hex, readonly Hex[]>,
) {
  const found = transactions.filter((hash) => listed.has(hash))
  const receipts = await inTurns(found, (hash) => gateway.getTransactionReceipt({ hash }))
  const wrong = receipts.filter(
    ({ transactionHash, blockHash }) => listed.get(transactionHash)?.[0] !== blockHash,
  )
  return {
    confirmed: receipts.length - wrong.length,
    wrong: wrong.map(({ transactionHash }) => `${transactionHash}: receipt of another block`),
  }
}

const proofOf = (gateway: PublicClient, subject: Hex): Promise<Proof> =>
  gateway.request({ method: 'nodeop_getProof', params: [subject] } as never)

/** What the Outbox has done, from its logs. */
async function readL1(client: PublicClient, address: Hex) {
  const from = { address, fromBlock: 0n, strict: true } as const
  const [, recordedEvent, executedEvent] = outboxAbi
  const recorded = await client.getLogs({ ...from, event: recordedEvent })
  const executed = await client.getLogs({ ...from, event: executedEvent })
  return {
    recorded: recorded.map(({ args }) => ({
      index: Number(args.index),
      size: Number(args.size),
      root: args.root,
      window: args.window,
    })),
    executed: executed.map(({ args }) => ({
      leafIndex: Number(args.leafIndex),
      subject: args.subject,
    })),
    isRecorded: ({ index, size, root }: Path['checkpoint']): Promise<boolean> =>
      client.readContract({
        address,
        abi: outboxAbi,
        functionName: 'isRecorded',
        args: [BigInt(index), BigInt(size), root],
      }),
  }
}

type L1 = Awaited<ReturnType<typeof readL1>>

/** Subjects whose checkpoint L1 has recorded: by its log, and by what the contract says today. */
async function recordedPaths(l1: L1, paths: readonly Path[]): Promise<ReadonlySet<Hex>> {
  const keyOf = ({ index, size, root }: Path['checkpoint']): string => `${index} ${size} ${root}`
  const logged = new Set(l1.recorded.map(keyOf))
  const checkpoints = new Map(paths.map(({ checkpoint }) => [keyOf(checkpoint), checkpoint]))
  const stands = new Map(
    await inTurns([...checkpoints], async ([key, checkpoint]) => {
      const isRecorded = logged.has(key) && (await l1.isRecorded(checkpoint))
      return [key, isRecorded] as const
    }),
  )
  const recorded = paths.filter(({ checkpoint }) => stands.get(keyOf(checkpoint)))
  return new Set(recorded.map(({ subject }) => subject))
}

function twiceExecuted(executed: L1['executed']): readonly string[] {
  const leaves = executed.map(({ leafIndex }) => `leaf ${leafIndex}`)
  const subjects = executed.map(({ subject }) => subject)
  return [...repeatedIn(leaves), ...repeatedIn(subjects)]
}

/** What a leaf is about must be under that leaf alone, and a leaf about one thing alone. */
function twiceUnderLeaves(paths: readonly Path[]): readonly string[] {
  const pairs = new Set(paths.map(({ leafIndex, leafSubject }) => `${leafIndex} ${leafSubject}`))
  const [leaves, subjects] = [0, 1].map((part) =>
    [...pairs].map((pair) => pair.split(' ')[part] as string),
  ) as [string[], string[]]
  return [...repeatedIn(leaves), ...repeatedIn(subjects)]
}

const repeatedIn = (names: readonly string[]): readonly string[] =>
  names.filter((name, place) => names.indexOf(name) < place)

async function inTurns<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  for (let start = 0; start < items.length; start += requestsAtOnce)
    results.push(...(await Promise.all(items.slice(start, start + requestsAtOnce).map(run))))
  return results
}
