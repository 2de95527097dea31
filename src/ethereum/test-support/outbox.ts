import { encodeAbiParameters } from 'viem'
import { fromHex, type Hex, keccak256Hex, RangeIndex, utf8 } from '#primitives'
import { type Checkpoint, checkpointMessage, type Leaf, leafHash, serviceBytes32 } from '#records'
import type { CertifiedCheckpoint, ProvenLeaf } from '../index.ts'
import { signAsGroup } from './l1.ts'

/** An outbox as the ledger would keep it: leaves, checkpoints over them, and proofs. */
export function createTestOutbox(outbox: Hex) {
  const tree = new RangeIndex()
  const leaves: Leaf[] = []
  let index = 0
  return {
    /** Adds a price that the network agreed on. */
    addPrice: (name: string, price: bigint): Leaf => {
      const leaf = priceLeaf(leaves.length, name, price)
      tree.append(leafHash(leaf))
      leaves.push(leaf)
      return leaf
    },
    /** A checkpoint over all leaves, certified, for the first of `submitters` to bring. */
    certify: (terms: Partial<Checkpoint> = {}): CertifiedCheckpoint => {
      index++
      const size = leaves.length
      const own = { index, size, root: tree.root(size), startS: 0, windowS: 4, submitters: [1] }
      const checkpoint: Checkpoint = { ...own, ...terms }
      const signature = signAsGroup(checkpointMessage({ l1ChainId: 31_337, outbox }, checkpoint))
      return { checkpoint, signature, operator: checkpoint.submitters[0] ?? 1 }
    },
    prove: (leaf: Leaf, { size }: Checkpoint): ProvenLeaf => ({
      leaf,
      siblings: tree.prove(leaf.index, size),
    }),
  }
}

/** The id of a task by its name. */
export const taskId = (name: string): Hex => keccak256Hex(utf8(name))

function priceLeaf(index: number, name: string, price: bigint): Leaf {
  const types = [{ type: 'bytes32' }, { type: 'int256' }, { type: 'uint64' }] as const
  const body = encodeAbiParameters(types, [serviceBytes32(name), price, 1_700_000_000n])
  return {
    index,
    service: 'price',
    kind: 'result',
    subject: taskId(name),
    rule: 'median',
    agreeingWeight: 4,
    committeeWeight: 4,
    stakeWei: 0n,
    body: fromHex(body),
  }
}
