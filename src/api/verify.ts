import {
  bytesToBigint,
  decodeRlp,
  fromHex,
  keccak256Hex,
  RlpError,
  rlpInteger,
  verifyInclusion,
} from '#primitives'
import { leafHash } from '#records'
import { fromLeafView, type ProofView, proofSchema } from './proof.ts'
import { trieValue } from './trie.ts'

/** What `verifyProof` finds wrong. */
export type ProofFault =
  /** Some step is not there yet: leaf, siblings, checkpoint, or the transaction's block. */
  | 'NotProvable'
  /** The parts are no proof at all. */
  | 'BadProof'
  /** The header's hash or number is not the stated block's. */
  | 'HeaderMismatch'
  /** The trie proof does not show this transaction at this index of the block. */
  | 'TransactionNotInBlock'
  /** The leaf is about something else. */
  | 'SubjectMismatch'
  /** The leaf's fields do not give the stated leaf hash. */
  | 'LeafMismatch'
  /** The siblings do not lead from the leaf to the checkpoint's root. */
  | 'NotInOutbox'

/** Whether a proof holds up to its root. */
export type ProofVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: ProofFault }

/**
 * Checks a proof from its subject to the checkpoint's root by hashing alone: transaction → block
 * header → leaf → root. That the root was certified and recorded is for L1 to say (`isRecorded`).
 * Never throws.
 */
export function verifyProof(input: unknown): ProofVerdict {
  const read = proofSchema.safeParse(input)
  if (!read.success) return refuse('BadProof')
  try {
    return verifyParts(read.data)
  } catch (thrown) {
    if (thrown instanceof RlpError) return refuse('BadProof')
    throw thrown
  }
}

function verifyParts(proof: ProofView): ProofVerdict {
  const { leaf, siblings, checkpoint } = proof
  if (!leaf || !siblings || !checkpoint) return refuse('NotProvable')
  const subject = proof.kind === 'task' ? verifyTask(proof, leaf) : verifyTransaction(proof, leaf)
  if (!subject.ok) return subject
  if (leafHash(fromLeafView(leaf)) !== leaf.hash) return refuse('LeafMismatch')
  return verifyInclusion(checkpoint.root, checkpoint.size, leaf.index, leaf.hash, siblings)
    ? { ok: true }
    : refuse('NotInOutbox')
}

type Leaf = NonNullable<ProofView['leaf']>

const verifyTask = (proof: ProofView, leaf: Leaf): ProofVerdict =>
  leaf.kind === 'result' && leaf.subject === proof.subject
    ? { ok: true }
    : refuse('SubjectMismatch')

/** Fields of an Ethereum block header, in order. */
const transactionsRootField = 4
const numberField = 8

function verifyTransaction(proof: ProofView, leaf: Leaf): ProofVerdict {
  const { transaction } = proof
  if (!transaction) return refuse('NotProvable')
  if (transaction.hash !== proof.subject) return refuse('SubjectMismatch')
  if (leaf.kind !== 'block' || leaf.subject !== transaction.blockHash)
    return refuse('SubjectMismatch')
  const headerRlp = fromHex(transaction.headerRlp)
  if (keccak256Hex(headerRlp) !== transaction.blockHash) return refuse('HeaderMismatch')
  const header = decodeRlp(headerRlp)
  const root = header[transactionsRootField]
  const number = header[numberField]
  if (!(root instanceof Uint8Array) || !(number instanceof Uint8Array))
    return refuse('HeaderMismatch')
  if (bytesToBigint(number) !== BigInt(transaction.blockNumber)) return refuse('HeaderMismatch')
  const key = rlpInteger(transaction.index)
  const value = trieValue(
    root,
    key,
    transaction.trieProof.map((node) => fromHex(node)),
  )
  return value && keccak256Hex(value) === transaction.hash
    ? { ok: true }
    : refuse('TransactionNotInBlock')
}

const refuse = (reason: ProofFault): ProofVerdict => ({ ok: false, reason })
