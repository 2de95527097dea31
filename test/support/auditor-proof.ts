// The auditor's own reading of a proof, from the published formats alone: it shares no code with
// those who made the proof.
import {
  concat,
  encodeAbiParameters,
  fromRlp,
  hexToBigInt,
  keccak256,
  numberToHex,
  parseAbiParameters,
  stringToHex,
  toRlp,
} from 'viem'

type Hex = `0x${string}`

/** What `nodeop_getProof` answers, as far as an auditor reads it. */
export type Proof = {
  readonly subject: Hex
  readonly kind: 'transaction' | 'task'
  readonly status: string
  readonly reason?: string
  readonly transaction?: {
    readonly hash: Hex
    readonly index: number
    readonly blockHash: Hex
    readonly blockNumber: number
    readonly headerRlp: Hex
    readonly trieProof: readonly Hex[]
  }
  readonly leaf?: {
    readonly index: number
    readonly service: string
    readonly kind: string
    readonly subject: Hex
    readonly rule: string
    readonly agreeingWeight: number
    readonly committeeWeight: number
    readonly stakeWei: string
    readonly body: Hex
  }
  readonly siblings?: readonly Hex[]
  readonly checkpoint?: { readonly index: number; readonly size: number; readonly root: Hex }
}

/** A proof that leads from its subject to the root of a checkpoint. */
export type Path = {
  readonly subject: Hex
  readonly leafIndex: number
  readonly leafSubject: Hex
  readonly checkpoint: { readonly index: number; readonly size: number; readonly root: Hex }
}

/** Follows a proof; a text says where it breaks. */
export function followProof(proof: Proof): Path | string {
  const { subject, kind, transaction, leaf, siblings, checkpoint } = proof
  if (!leaf || !siblings || !checkpoint) return `ends at ${proof.status}`
  if (leaf.kind !== (kind === 'task' ? 'result' : 'block')) return 'a leaf of another kind'
  if (kind === 'task' ? leaf.subject !== subject : leaf.subject !== transaction?.blockHash)
    return 'a leaf about something else'
  const broken = transaction ? brokenBlock(subject, transaction) : undefined
  if (broken) return broken
  const root = rootAbove(leafHashOf(leaf), leaf.index, checkpoint.size, siblings)
  if (root !== checkpoint.root) return 'the leaf is not under the root'
  return { subject, leafIndex: leaf.index, leafSubject: leaf.subject, checkpoint }
}

/** Yellow paper §4.4: fields of a header, in order. */
const transactionsRootField = 4
const numberField = 8

function brokenBlock(
  subject: Hex,
  transaction: NonNullable<Proof['transaction']>,
): string | undefined {
  const { hash, index, blockHash, blockNumber, headerRlp, trieProof } = transaction
  if (hash !== subject) return 'about another transaction'
  if (keccak256(headerRlp) !== blockHash) return 'the header is not the block'
  const header = fromRlp(headerRlp, 'hex')
  if (hexToBigInt(header[numberField] as Hex) !== BigInt(blockNumber)) return 'another number'
  const key = toRlp(index === 0 ? '0x' : numberToHex(index))
  const raw = valueAt(header[transactionsRootField] as Hex, key.slice(2), trieProof)
  return raw !== undefined && keccak256(raw) === subject ? undefined : 'not in the block'
}

type Node = Hex | readonly Node[]

/** The value below a node for the rest of a path, in nibbles; yellow paper, appendix D. */
function valueAt(node: Node, path: string, rest: readonly Hex[]): Hex | undefined {
  if (typeof node === 'string') {
    const [encoded, ...deeper] = rest
    if (encoded === undefined || keccak256(encoded) !== node) return undefined
    return valueAt(fromRlp(encoded, 'hex') as Node, path, deeper)
  }
  if (node.length === 17) {
    const child = node[path === '' ? 16 : Number.parseInt(path.slice(0, 1), 16)]
    if (child === undefined || child === '0x') return undefined
    return path === '' ? (child as Hex) : valueAt(child, path.slice(1), rest)
  }
  const [prefix, next] = node
  if (typeof prefix !== 'string' || next === undefined) return undefined
  const flag = Number.parseInt(prefix.slice(2, 3), 16)
  const part = prefix.slice(flag % 2 === 1 ? 3 : 4)
  if (flag >= 2) return part === path && typeof next === 'string' ? next : undefined
  return path.startsWith(part) ? valueAt(next, path.slice(part.length), rest) : undefined
}

const kinds: readonly string[] = ['result', 'block']
const rules: readonly string[] = ['replicated', 'exact', 'median']

/** keccak256 of the ABI encoding of the contract's `Leaf`. */
const leafHashOf = (leaf: NonNullable<Proof['leaf']>): Hex =>
  keccak256(
    encodeAbiParameters(leafType, [
      {
        ...leaf,
        index: BigInt(leaf.index),
        service: stringToHex(leaf.service, { size: 32 }),
        kind: kinds.indexOf(leaf.kind),
        rule: rules.indexOf(leaf.rule),
        stakeWei: BigInt(leaf.stakeWei),
      },
    ]),
  )

const leafType = parseAbiParameters([
  'Leaf leaf',
  'struct Leaf { uint64 index; bytes32 service; uint8 kind; bytes32 subject; uint8 rule; uint32 agreeingWeight; uint32 committeeWeight; uint256 stakeWei; bytes body; }',
])

/** RFC 9162 §2.1.3.1 read backwards: the root over `size` leaves, one of which is known. */
function rootAbove(
  leaf: Hex,
  index: number,
  size: number,
  siblings: readonly Hex[],
): Hex | undefined {
  if (size === 1) return index === 0 && siblings.length === 0 ? leaf : undefined
  const sibling = siblings.at(-1)
  if (sibling === undefined || index >= size) return undefined
  const split = 2 ** Math.ceil(Math.log2(size) - 1)
  const isLeft = index < split
  const below = isLeft
    ? rootAbove(leaf, index, split, siblings.slice(0, -1))
    : rootAbove(leaf, index - split, size - split, siblings.slice(0, -1))
  return below && keccak256(isLeft ? concat([below, sibling]) : concat([sibling, below]))
}
