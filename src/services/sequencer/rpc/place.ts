import { createMerkleProof, createMPT } from '@ethereumjs/mpt'
import { type Hex, toHex } from '#primitives'
import type { Engine } from '../engine/types.ts'
import { encodeHeader } from '../state/header.ts'
import { rlpInteger } from '../state/rlp.ts'

/** Where a transaction stands, and what proves it to anyone who knows the block's hash. */
export type TransactionPlace = {
  readonly hash: Hex
  readonly index: number
  readonly blockHash: Hex
  readonly blockNumber: number
  /** The block's header: its keccak-256 is the block's hash. */
  readonly headerRlp: Hex
  /** Merkle-Patricia nodes from the header's transactionsRoot down to the transaction. */
  readonly trieProof: readonly Hex[]
}

/** The place of a transaction in its L2 block, or undefined while it is in none. */
export async function transactionPlace(
  engine: Engine,
  hash: Hex,
): Promise<TransactionPlace | undefined> {
  const found = await engine.transaction(hash)
  if (!found) return undefined
  const block = await engine.block({ by: 'hash', hash: found.block.hash })
  if (!block) return undefined
  return {
    hash,
    index: found.index,
    blockHash: block.hash,
    blockNumber: block.header.number,
    headerRlp: toHex(encodeHeader(block.header)),
    trieProof: await proveIndex(block.transactions, found.index),
  }
}

async function proveIndex(values: readonly Uint8Array[], index: number): Promise<readonly Hex[]> {
  const trie = await createMPT()
  for (const [place, value] of values.entries()) await trie.put(rlpInteger(place), value)
  return (await createMerkleProof(trie, rlpInteger(index))).map(toHex)
}
