// A proven double vote on CometBFT, and what its nodes show of it.
import assert from 'node:assert/strict'
import { setTimeout as pass } from 'node:timers/promises'
import { canonicalVoteBytes, createSigner, readSignedHeader, validatorAddress } from '#consensus'
import { fromHex, type Hex, sha256Hex, utf8 } from '#primitives'
import type { CometNode } from './comet-rpc.ts'

/**
 * Proves to a node that a key precommitted two blocks at its newest height but one.
 *
 * @param seed - the key's.
 * @returns the validator's address, and the height of the block that holds the proof.
 */
export async function proveDoubleVote(
  node: CometNode,
  seed: Uint8Array,
): Promise<{ readonly address: string; readonly height: number }> {
  const votedHeight = (await heightOf(node)) - 1
  const { evidence, address } = await doubleVote(node, seed, votedHeight)
  await node.ask('broadcast_evidence', { evidence })
  return { address, height: await provenHeight(node, address, votedHeight) }
}

/** The proof that a key precommitted two blocks, in CometBFT's JSON. */
async function doubleVote(node: CometNode, seed: Uint8Array, votedHeight: number) {
  const { header } = readSignedHeader(
    ((await node.ask('commit', { height: String(votedHeight) })) as { signed_header: unknown })
      .signed_header,
  )
  const address = validatorAddress(createSigner(seed).publicKey).slice(2).toUpperCase()
  const validators = await validatorsAt(node, votedHeight)
  const time = isoOf(header.timeNs)
  const voteFor = async (hash: Hex) => {
    const vote = { step: 'precommit', height: votedHeight, round: 0 } as const
    const block = { hash, parts: { total: 1, hash } }
    const bytes = canonicalVoteBytes(header.chainId, { ...vote, block, timeNs: header.timeNs })
    const signed = await createSigner(seed).sign(vote, bytes)
    assert(signed.ok)
    const digits = hash.slice(2).toUpperCase()
    return {
      ...{ type: 2, height: String(votedHeight), round: 0, timestamp: time },
      block_id: { hash: digits, parts: { total: 1, hash: digits } },
      validator_address: address,
      validator_index: validators.indexOf(address),
      signature: Buffer.from(fromHex(signed.signature)).toString('base64'),
    }
  }
  const hashes = ['one block', 'another'].map((text) => sha256Hex(utf8(text))).sort()
  const [first, second] = await Promise.all(hashes.map(voteFor))
  const evidence = {
    type: 'tendermint/DuplicateVoteEvidence',
    value: {
      ...{ vote_a: first, vote_b: second },
      ...{ TotalVotingPower: String(validators.length), ValidatorPower: '1', Timestamp: time },
    },
  }
  return { evidence, address }
}

/** A time with its nanoseconds, which a `Date` has not. */
const isoOf = (ns: bigint): string => {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1_000).toISOString().slice(0, 19)
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`
}

/** Addresses of those who vote at a height, in CometBFT's order. */
export async function validatorsAt(node: CometNode, height: number): Promise<readonly string[]> {
  const asked = await node.ask('validators', { height: String(height) })
  return (asked as { validators: { address: string }[] }).validators.map(({ address }) => address)
}

/** Resolves once a node has a block; its heartbeat makes one each second at least. */
export async function atHeight(node: CometNode, height: number): Promise<void> {
  while ((await heightOf(node)) < height) await pass(100)
}

async function heightOf(node: CometNode): Promise<number> {
  const { sync_info: sync } = (await node.ask('status', {})) as {
    sync_info: { latest_block_height: string }
  }
  return Number(sync.latest_block_height)
}

/** The height of the block that holds the proof. */
async function provenHeight(
  node: CometNode,
  address: string,
  votedHeight: number,
): Promise<number> {
  for (let height = votedHeight + 1; ; height++) {
    await atHeight(node, height)
    const asked = (await node.ask('block', { height: String(height) })) as {
      block: { evidence: { evidence: { value: { vote_a: { validator_address: string } } }[] } }
    }
    const found = asked.block.evidence.evidence.map(({ value }) => value.vote_a.validator_address)
    if (found.includes(address)) return height
  }
}
