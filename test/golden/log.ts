import { readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import {
  advanceSchedule,
  type Commit,
  createSchedule,
  openBlock,
  type StoredBlock,
  toProposed,
} from '#consensus'
import { fromHex, type Hex, toHex } from '#primitives'
import {
  type DecidedBlock,
  decode,
  encode,
  type Genesis,
  genesisCodec,
  type Validator,
} from '#records'
import type { Outcome } from '../support/outcome.ts'

/** A decided block, and what came of it. */
export type GoldenBlock = {
  readonly decided: DecidedBlock
  /** The precommits under the block before, as this one carries them. */
  readonly lastCommit: Commit | undefined
  /** As an operator's block store holds it. */
  readonly stored: StoredBlock
  readonly outcome: Outcome
}

/** A recorded run: `npm run golden` writes it. */
export type GoldenLog = {
  readonly genesis: Genesis
  readonly validators: readonly Validator[]
  readonly blocks: readonly GoldenBlock[]
}

/** How a log is written: what follows from its blocks is left out. */
type Written = {
  /** SSZ bytes of the genesis. */
  readonly genesis: Hex
  /** Why the last block is final; each of the others is by its successor. */
  readonly commit: Commit
  readonly blocks: readonly {
    /** The canonical bytes that were voted for. */
    readonly block: Hex
    readonly appHash: Hex
    readonly results: readonly string[]
    /** Powers in decimal digits. */
    readonly validatorUpdates: readonly { readonly consensusKey: Hex; readonly power: string }[]
  }[]
}

/** The file of a log. */
export function packGoldenLog(
  genesis: Genesis,
  commit: Commit,
  blocks: readonly { readonly block: Uint8Array; readonly outcome: Outcome }[],
): Uint8Array {
  const written: Written = {
    genesis: toHex(encode(genesisCodec, genesis)),
    commit,
    blocks: blocks.map(({ block, outcome }) => ({
      block: toHex(block),
      ...outcome,
      validatorUpdates: outcome.validatorUpdates.map((one) => ({ ...one, power: `${one.power}` })),
    })),
  }
  return gzipSync(JSON.stringify(written), { level: 9 })
}

/** Reads a log that lies beside this file. */
export function readGoldenLog(name: string): GoldenLog {
  const text = gunzipSync(readFileSync(new URL(name, import.meta.url))).toString('utf8')
  const written: Written = JSON.parse(text)
  const genesis = decode(genesisCodec, fromHex(written.genesis))
  const validators = genesis.operators.map(({ consensusKey, power }) => ({ consensusKey, power }))
  const sealed = written.blocks.map(({ block }) => openBlock(fromHex(block)))
  let schedule = createSchedule(validators)
  const blocks = written.blocks.map(({ appHash, results, ...rest }, place): GoldenBlock => {
    const { block, bytes, hash } = sealed[place] as (typeof sealed)[number]
    const { height } = block.header
    const commit = sealed[place + 1]?.block.lastCommit ?? written.commit
    const validatorUpdates = rest.validatorUpdates.map((one) => ({
      ...one,
      power: BigInt(one.power),
    }))
    const { current } = schedule
    schedule = advanceSchedule(schedule, validatorUpdates)
    return {
      decided: { ...toProposed(block), hash },
      lastCommit: block.lastCommit,
      stored: { height, block: bytes, commit, appHash, validators: current, schedule },
      outcome: { appHash, results, validatorUpdates },
    }
  })
  return { genesis, validators, blocks }
}

/** The first block that proves a double vote, and whose it was. */
export function offenceIn({ blocks }: GoldenLog): {
  readonly height: number
  readonly culprit: Hex
} {
  for (const { decided } of blocks) {
    const [offence] = decided.misbehaviour
    if (offence) return { height: decided.height, culprit: offence.consensusKey }
  }
  throw new Error('no double vote is in this log: record it anew')
}
