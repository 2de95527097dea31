// Reads what CometBFT nodes say of their chain, by their own RPC, into a history.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSignedHeader } from '#consensus'
import { toHex } from '#primitives'
import type { OperatorId } from '#records'
import { type CometNode, type CometQuestion, connectComet } from '../support/comet-rpc.ts'
import type { CometHistory, Proven } from './comet-history.ts'

/** Follows the nodes of a network across their restarts. */
export type CometWatch = {
  /** Follows one more, whose first block is this. */
  follow(operator: OperatorId, firstBlock: number): void
  /** Reads what is new at every node; one that does not answer is read the next time. */
  look(): Promise<void>
  /** Reads every block of every node again, and none may be missing. */
  lookAgain(): Promise<void>
  /** The newest block of a node; undefined when it does not answer. */
  heightOf(operator: OperatorId): Promise<number | undefined>
  nodeOf(operator: OperatorId): CometNode
  close(): void
}

/** Blocks that are asked for at a time. */
const blocksAtOnce = 50

/**
 * @param operators - followed from block 1.
 * @param homeOf - an operator's CometBFT folder.
 */
export function watchComet(
  operators: readonly OperatorId[],
  homeOf: (operator: OperatorId) => string,
  history: CometHistory,
): CometWatch {
  const nodes = new Map<OperatorId, CometNode>()
  const firstOf = new Map(operators.map((id) => [id, 1]))
  const nodeOf = (id: OperatorId): CometNode => {
    const node = nodes.get(id) ?? connectComet(homeOf(id))
    nodes.set(id, node)
    return node
  }
  const read = new Map<OperatorId, number>()
  let contents = 0
  const readNode = async (id: OperatorId) => {
    const node = nodeOf(id)
    const { height } = await statusOf(node)
    history.newest(id, height)
    await readApplication(node, id, history)
    const first = firstOf.get(id) ?? 1
    const next = () => (read.get(id) ?? first - 1) + 1
    for (let from = next(); from <= height; from = next()) {
      const to = Math.min(height, from + blocksAtOnce - 1)
      await readBlocks(node, id, from, to, history)
      read.set(id, to)
    }
    if (contents < first - 1) return // another has what is before
    for (; contents < height; contents++) await readContent(node, contents + 1, history)
  }
  return {
    nodeOf,
    follow: (id, firstBlock) => void firstOf.set(id, firstBlock),
    async look() {
      for (const id of firstOf.keys()) {
        history.signState(id, signStateIn(homeOf(id)))
        await readNode(id).catch(() => {})
      }
    },
    async lookAgain() {
      read.clear()
      for (const id of firstOf.keys()) await readNode(id)
    },
    heightOf: (id) =>
      statusOf(nodeOf(id)).then(
        ({ height }) => height,
        () => undefined,
      ),
    close() {
      for (const node of nodes.values()) node.close()
    },
  }
}

async function statusOf(node: CometNode): Promise<{ readonly height: number }> {
  const status = (await node.ask('status', {})) as {
    readonly sync_info: { readonly latest_block_height: string }
  }
  return { height: Number(status.sync_info.latest_block_height) }
}

/** A commit that is not there, or not to be read, rejects. */
async function readBlocks(
  node: CometNode,
  id: OperatorId,
  from: number,
  to: number,
  history: CometHistory,
): Promise<void> {
  const questions = Array.from(
    { length: to - from + 1 },
    (_, i): CometQuestion => ['commit', { height: String(from + i) }],
  )
  for (const answer of await node.askAll(questions)) {
    const { header, commit } = readSignedHeader(
      (answer as { readonly signed_header?: unknown } | undefined)?.signed_header,
    )
    history.block(id, header, commit)
  }
}

type Block = {
  readonly data: { readonly txs?: readonly string[] | null }
  readonly evidence: { readonly evidence?: readonly Evidence[] | null }
}

type Evidence = {
  readonly value: {
    readonly vote_a?: { readonly height: string; readonly validator_address: string }
  }
}

async function readContent(node: CometNode, height: number, history: CometHistory): Promise<void> {
  const asked = await node.ask('block', { height: String(height) })
  const { data, evidence } = (asked as { readonly block: Block }).block
  const transactions = (data.txs ?? []).map((text) => new Uint8Array(Buffer.from(text, 'base64')))
  const proven = (evidence.evidence ?? []).map(
    ({ value: { vote_a: vote } }): Proven => ({
      height,
      votedHeight: Number(vote?.height ?? 0),
      address: vote?.validator_address ?? '',
    }),
  )
  history.content(height, transactions, proven)
}

/** What the application itself says of its newest block, without the chain's word for it. */
async function readApplication(
  node: CometNode,
  id: OperatorId,
  history: CometHistory,
): Promise<void> {
  const { response } = (await node.ask('abci_info', {})) as {
    readonly response: {
      readonly last_block_height?: string
      readonly last_block_app_hash?: string
    }
  }
  const { last_block_height: height = '0', last_block_app_hash: hash = '' } = response
  history.application(id, Number(height), toHex(new Uint8Array(Buffer.from(hash, 'base64'))))
}

/** CometBFT replaces this file whole, before a signature leaves. */
function signStateIn(home: string) {
  const text = readFileSync(join(home, 'data/priv_validator_state.json'), 'utf8')
  const { height, round, step } = JSON.parse(text)
  return { height: Number(height), round: Number(round), step: Number(step) }
}
