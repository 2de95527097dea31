import {
  assert,
  DomainError,
  decodeRlp,
  equalBytes,
  fromHex,
  type Hex,
  keccak256,
  keccak256Hex,
  type Store,
  toHex,
} from '#primitives'
import {
  decodeEthereumTransaction,
  type EthereumTransaction,
} from '../state/ethereum-transaction.ts'
import type { Header } from '../state/header.ts'
import { indexedRoot } from '../state/trie.ts'
import { type Recover, senderOf } from './recover.ts'
import {
  addEarlierBlock,
  decodeReceipts,
  encodeConsensusReceipt,
  newBatch,
  setChain,
} from './rows.ts'
import { blocksUpTo, headerIn, walkState } from './snapshot-items.ts'
import type { L2Part, StoredReceipt } from './types.ts'

/** Gives the next item of a snapshot. */
export type NextItem = () => Promise<Uint8Array>

/** Nodes and code that go to the engine at a time, in bytes. */
const partBytes = 1024 * 1024

/**
 * Reads what `l2SnapshotItems` lists, and checks all of it by the hash of its last block alone.
 *
 * @param head - hash and number of that block, known to be true.
 * @param take - receives it in parts, for `Engine.restore`.
 * @throws BadL2SnapshotError, and what `next` throws.
 */
export async function readL2Snapshot(
  next: NextItem,
  head: { readonly hash: Hex; readonly number: number },
  recover: Recover,
  take: (part: L2Part) => Promise<void>,
): Promise<void> {
  const count = blocksUpTo(head.number)
  const first = head.number + 1 - count
  let parent: { readonly hash: Hex; readonly header: Header } | undefined
  for (let number = first; number <= head.number; number++) {
    const rows = [await next(), await next(), await next()]
    const { hash, header } = checked(() => checkBlock(rows, recover))
    if (header.number !== number || (parent && header.parentHash !== parent.hash))
      throw bad(`block ${number} does not follow`)
    parent = { hash, header }
    await take({ kind: 'block', rows })
  }
  if (parent?.hash !== head.hash) throw bad('another latest block')
  await readState(next, fromHex(parent.header.stateRoot), take)
  await take({ kind: 'head', hash: head.hash, first })
}

async function readState(
  next: NextItem,
  root: Uint8Array,
  take: (part: L2Part) => Promise<void>,
): Promise<void> {
  const walk = walkState(root)
  const gathered = { node: [] as Uint8Array[], code: [] as Uint8Array[] }
  let room = partBytes
  const send = async () => {
    for (const kind of ['node', 'code'] as const)
      if (gathered[kind].length > 0) await take({ kind, items: gathered[kind].splice(0) })
    room = partBytes
  }
  for (let step = walk.next(); !step.done; ) {
    const { kind, hash } = step.value
    const bytes = await next()
    if (!equalBytes(keccak256(bytes), hash)) throw bad(`another ${kind} than ${toHex(hash)}`)
    gathered[kind].push(bytes)
    room -= bytes.length
    if (room < 0) await send()
    step = checked(() => walk.next(bytes))
  }
  await send()
}

type Checked = {
  readonly hash: Hex
  readonly header: Header
  readonly transactions: readonly EthereumTransaction[]
  readonly receipts: readonly StoredReceipt[]
}

/** A block whose transactions and receipts are those that its header names. */
function checkBlock(rows: readonly Uint8Array[], recover: Recover): Checked {
  const block = decodeBlock(rows)
  const { header, transactions, receipts } = block
  const raws = transactions.map(({ raw }) => raw)
  if (toHex(indexedRoot(raws)) !== header.transactionsRoot) throw bad('other transactions')
  if (toHex(indexedRoot(receipts.map(encodeConsensusReceipt))) !== header.receiptsRoot)
    throw bad('other receipts')
  if (receipts.length !== transactions.length) throw bad('a receipt for each transaction')
  let gasBefore = 0
  for (const [at, transaction] of transactions.entries()) {
    const { transactionHash, type, from, gasUsed, cumulativeGasUsed } = receipts[
      at
    ] as StoredReceipt
    const sender = senderOf(transaction, recover)
    const isOurs = transactionHash === transaction.hash && type === transaction.type
    if (!isOurs || !sender || from !== toHex(sender)) throw bad(`another receipt than ${at}`)
    if (gasUsed !== cumulativeGasUsed - gasBefore) throw bad(`other gas in receipt ${at}`)
    gasBefore = cumulativeGasUsed
  }
  return block
}

function decodeBlock(rows: readonly Uint8Array[]): Checked {
  const [headerRow, transactionsRow, receiptsRow] = rows
  if (!headerRow || !transactionsRow || !receiptsRow) throw bad('a block has three rows')
  const transactions = (decodeRlp(transactionsRow) as readonly Uint8Array[]).map((raw) => {
    const decoded = decodeEthereumTransaction(raw)
    if (!decoded.ok) throw bad(decoded.detail)
    return decoded.transaction
  })
  return {
    hash: keccak256Hex(headerRow),
    header: headerIn(headerRow),
    transactions,
    receipts: decodeReceipts(receiptsRow),
  }
}

/** Puts a part into an engine's store. */
export function storePart(store: Store, part: L2Part): void {
  const batch = newBatch(store)
  if (part.kind === 'head') setChain(batch, part.hash, part.first)
  else if (part.kind === 'block') {
    const { hash, header, transactions, receipts } = decodeBlock(part.rows)
    addEarlierBlock(batch, { hash, header }, transactions, receipts)
  } else {
    assert(part.items.length > 0, 'a part of something')
    for (const item of part.items) batch[part.kind](keccak256(item), item)
  }
  store.putBatch(batch.rows)
}

/** What a stranger made up may fail to decode in any way. */
function checked<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof BadL2SnapshotError) throw cause
    throw bad(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

const bad = (fault: string, cause?: unknown): BadL2SnapshotError =>
  new BadL2SnapshotError(`the snapshot's L2: ${fault}`, {}, cause)

/** A snapshot's L2 is not the one that the ledger stands on. */
export class BadL2SnapshotError extends DomainError<'BadL2Snapshot'> {
  override readonly code = 'BadL2Snapshot'
}
