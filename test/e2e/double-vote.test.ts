// A key that votes twice on CometBFT: the proof reaches the ledger by a block, and it acts on it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pass } from 'node:timers/promises'
import { createClient } from '#api'
import { canonicalVoteBytes, createSigner, readSignedHeader, validatorAddress } from '#consensus'
import { parseDevnetOptions, startProcessNetwork } from '#devnet'
import { createDisk, loadOperatorFolder } from '#node'
import { fromHex, type Hex, sha256Hex, utf8 } from '#primitives'
import { cometForTests } from '../support/comet.ts'
import { type CometNode, connectComet } from '../support/comet-rpc.ts'

const { skip } = cometForTests()

test('cometbft: a proven double vote takes the voter its power within two blocks', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-double-'))
  const options = { engine: 'cometbft', port: '0', data: folder, logLevel: 'error' }
  const devnet = await startProcessNetwork(parseDevnetOptions(options, folder), () => {})
  t.after(async () => {
    await devnet.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const { keys } = await loadOperatorFolder(createDisk(join(folder, 'operator-4')), 4)
  const node = connectComet(join(folder, 'operator-1/cometbft'))
  t.after(() => node.close())
  await atHeight(node, votedHeight + 1)
  const { evidence, address } = await doubleVote(node, keys.secrets.consensusSeed)
  await node.ask('broadcast_evidence', { evidence })
  const height = await provenHeight(node, address)
  await atHeight(node, height + 2)
  const votes = async (at: number) => (await validatorsAt(node, at)).includes(address)
  assert.deepEqual([await votes(height + 1), await votes(height + 2)], [true, false])
  const [gateway = ''] = devnet.gateways()
  const voter = (await createClient([gateway]).nodeop_operators()).find(({ id }) => id === 4)
  assert.deepEqual([voter?.status, voter?.power], ['jailed', '0'])
})

/** Any block that is decided. */
const votedHeight = 2

/** The proof that a key precommitted two blocks, in CometBFT's JSON. */
async function doubleVote(node: CometNode, seed: Uint8Array) {
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
async function validatorsAt(node: CometNode, height: number): Promise<readonly string[]> {
  const asked = await node.ask('validators', { height: String(height) })
  return (asked as { validators: { address: string }[] }).validators.map(({ address }) => address)
}

/** Resolves once a node has a block; its heartbeat makes one each second at least. */
async function atHeight(node: CometNode, height: number): Promise<void> {
  for (;;) {
    const { sync_info: sync } = (await node.ask('status', {})) as {
      sync_info: { latest_block_height: string }
    }
    if (Number(sync.latest_block_height) >= height) return
    await pass(100)
  }
}

/** The height of the block that holds the proof. */
async function provenHeight(node: CometNode, address: string): Promise<number> {
  for (let height = votedHeight + 1; ; height++) {
    await atHeight(node, height)
    const asked = (await node.ask('block', { height: String(height) })) as {
      block: { evidence: { evidence: { value: { vote_a: { validator_address: string } } }[] } }
    }
    const found = asked.block.evidence.evidence.map(({ value }) => value.vote_a.validator_address)
    if (found.includes(address)) return height
  }
}
