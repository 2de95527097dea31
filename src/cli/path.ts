import type { ProofView } from '#api'

/** A proof as a tree: each step hangs on the one that it is proven by. */
export function describePath(proof: ProofView): string[] {
  const steps = [subjectOf(proof), ...blockOf(proof), ...leafOf(proof), ...rootOf(proof)]
  return [...steps, ...l1Of(proof)].map((step, depth) => `${indent(depth)}${step}`)
}

const indent = (depth: number): string => (depth === 0 ? '' : `${'   '.repeat(depth - 1)}└─ `)

const subjectOf = ({ kind, subject, status }: ProofView): string => `${kind} ${subject} (${status})`

const blockOf = ({ transaction }: ProofView): string[] =>
  transaction
    ? [
        `L2 block ${transaction.blockNumber} ${transaction.blockHash}, index ${transaction.index}` +
          ` (${counted(transaction.trieProof.length, 'trie node')})`,
      ]
    : []

const leafOf = ({ leaf }: ProofView): string[] =>
  leaf
    ? [
        `leaf ${leaf.index} ${leaf.hash} of ${leaf.service}` +
          ` (rule ${leaf.rule}, weight ${leaf.agreeingWeight} of ${leaf.committeeWeight})`,
      ]
    : []

const rootOf = ({ checkpoint, siblings = [] }: ProofView): string[] =>
  checkpoint
    ? [
        `root ${checkpoint.root} of checkpoint ${checkpoint.index}` +
          ` (${counted(checkpoint.size, 'leaf', 'leaves')}, ${counted(siblings.length, 'sibling')})`,
      ]
    : []

function l1Of({ l1 }: ProofView): string[] {
  if (!l1) return []
  const recorded = `L1 transaction ${l1.transaction} in block ${l1.block} of chain ${l1.chainId}`
  const outcome = l1.executed?.success ? 'consumer took it' : 'consumer refused it'
  return l1.executed
    ? [recorded, `executed by L1 transaction ${l1.executed.transaction} (${outcome})`]
    : [recorded]
}

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`
