import { type Hex, toHex } from '#primitives'
import type { Engine } from './engine/types.ts'
import { encodeHeader } from './state/header.ts'
import { indexedProof } from './state/trie.ts'

/** Where a transaction stands, with what it takes to check it against the block's leaf. */
export type TransactionPlace = {
  readonly hash: Hex
  readonly index: number
  readonly blockHash: Hex
  readonly blockNumber: number
  /** RLP of the header; its keccak-256 is the block's hash. */
  readonly headerRlp: Hex
  /** Nodes from the header's transactions root down to the transaction, whose key is RLP(index). */
  readonly trieProof: readonly Hex[]
}

/** The place of an included transaction; undefined when no block has it. */
export async function transactionPlace(
  engine: Pick<Engine, 'transaction' | 'block'>,
  hash: Hex,
): Promise<TransactionPlace | undefined> {
  const found = await engine.transaction(hash)
  const block = found && (await engine.block({ by: 'hash', hash: found.block.hash }))
  if (!block) return undefined
  return {
    hash,
    index: found.index,
    blockHash: block.hash,
    blockNumber: block.header.number,
    headerRlp: toHex(encodeHeader(block.header)),
    trieProof: indexedProof(block.transactions, found.index).map(toHex),
  }
}
