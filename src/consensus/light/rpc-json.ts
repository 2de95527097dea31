import { DomainError, type Hex, toHex } from '#primitives'
import type { Validator } from '#records'
import type { CommitSignature, LightCommit } from './commit.ts'
import type { BlockReference, LightHeader } from './header.ts'

/**
 * The `signed_header` of CometBFT's RPC method `commit`.
 *
 * @throws LightJsonError when it is none.
 */
export function readSignedHeader(json: unknown): {
  readonly header: LightHeader
  readonly commit: LightCommit
} {
  const { header, commit } = members(json, 'signed_header')
  return { header: readHeader(header), commit: readCommit(commit) }
}

/**
 * The `validators` of CometBFT's RPC method `validators`, ed25519 keys only.
 *
 * @throws LightJsonError when it is no such list.
 */
export const readValidators = (json: unknown): readonly Validator[] =>
  list(json, 'validators').map((one) => {
    const { pub_key, voting_power } = members(one, 'validator')
    const { type, value } = members(pub_key, 'pub_key')
    if (type !== 'tendermint/PubKeyEd25519') throw bad('pub_key.type', type)
    return {
      consensusKey: base64(value, 'pub_key.value', 32),
      power: integer(voting_power, 'voting_power'),
    }
  })

/**
 * A time as CometBFT prints it, in nanoseconds since 1970. @throws LightJsonError when it is none.
 */
export function readTime(json: unknown): bigint {
  const [, seconds, fraction] = /^([^.Z]+)(?:\.(\d{1,9}))?Z$/.exec(text(json, 'time')) ?? []
  const ms = Date.parse(`${seconds}Z`)
  if (Number.isNaN(ms)) throw bad('time', json)
  return BigInt(ms) * 1_000_000n + BigInt((fraction ?? '').padEnd(9, '0'))
}

function readHeader(json: unknown): LightHeader {
  const header = members(json, 'header')
  const version = members(header.version, 'version')
  return {
    blockVersion: integer(version.block, 'version.block'),
    appVersion: integer(version.app ?? '0', 'version.app'),
    chainId: text(header.chain_id, 'chain_id'),
    height: count(header.height, 'height'),
    timeNs: readTime(header.time),
    lastBlock: readReference(header.last_block_id),
    lastCommitHash: hex(header.last_commit_hash, 'last_commit_hash'),
    dataHash: hex(header.data_hash, 'data_hash'),
    validatorsHash: hex(header.validators_hash, 'validators_hash'),
    nextValidatorsHash: hex(header.next_validators_hash, 'next_validators_hash'),
    consensusHash: hex(header.consensus_hash, 'consensus_hash'),
    appHash: hex(header.app_hash, 'app_hash'),
    lastResultsHash: hex(header.last_results_hash, 'last_results_hash'),
    evidenceHash: hex(header.evidence_hash, 'evidence_hash'),
    proposerAddress: hex(header.proposer_address, 'proposer_address'),
  }
}

function readCommit(json: unknown): LightCommit {
  const commit = members(json, 'commit')
  const block = readReference(commit.block_id)
  if (!block) throw bad('block_id', commit.block_id)
  return {
    height: count(commit.height, 'commit.height'),
    round: count(commit.round, 'round'),
    block,
    signatures: list(commit.signatures ?? [], 'signatures').flatMap(readSignature),
  }
}

/** By `block_id_flag`: 1 absent, 2 for the block, 3 for nil. */
function readSignature(json: unknown): readonly CommitSignature[] {
  const {
    block_id_flag: flag,
    validator_address,
    timestamp,
    signature,
  } = members(json, 'signature')
  if (flag === 1) return []
  if (flag !== 2 && flag !== 3) throw bad('block_id_flag', flag)
  return [
    {
      votedFor: flag === 2 ? 'block' : 'nil',
      address: hex(validator_address, 'validator_address'),
      timeNs: readTime(timestamp),
      signature: base64(signature, 'signature', 64),
    },
  ]
}

function readReference(json: unknown): BlockReference | undefined {
  if (json === null || json === undefined) return undefined
  const { hash, parts, part_set_header } = members(json, 'block_id')
  const { total, hash: partsHash } = members(part_set_header ?? parts, 'part_set_header')
  const name = hex(hash, 'block_id.hash')
  if (name === '0x') return undefined
  return {
    hash: name,
    parts: { total: count(total, 'total'), hash: hex(partsHash, 'part_set_header.hash') },
  }
}

function members(json: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null) throw bad(field, json)
  return json as Record<string, unknown>
}

function list(json: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(json)) throw bad(field, json)
  return json
}

function text(json: unknown, field: string): string {
  if (typeof json !== 'string') throw bad(field, json)
  return json
}

/** Large integers come as text, small ones as numbers. */
function integer(json: unknown, field: string): bigint {
  const digits = typeof json === 'number' ? `${json}` : text(json, field)
  if (!/^\d{1,19}$/.test(digits)) throw bad(field, json)
  return BigInt(digits)
}

function count(json: unknown, field: string): number {
  const value = Number(integer(json, field))
  if (!Number.isSafeInteger(value)) throw bad(field, json)
  return value
}

function hex(json: unknown, field: string): Hex {
  const digits = text(json, field).toLowerCase()
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw bad(field, json)
  return `0x${digits}`
}

function base64(json: unknown, field: string, length: number): Hex {
  const bytes = Buffer.from(text(json, field), 'base64')
  if (bytes.length !== length) throw bad(field, json)
  return toHex(bytes)
}

const bad = (field: string, value: unknown): LightJsonError =>
  new LightJsonError(`not a light block: ${field}`, { field, value: String(value).slice(0, 100) })

/** JSON that is no header, commit or validator set of CometBFT. */
export class LightJsonError extends DomainError<'BadLightJson', { field: string; value: string }> {
  override readonly code = 'BadLightJson'
}
