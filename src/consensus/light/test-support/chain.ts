import { sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { sha256, sha256Hex, toHex, utf8 } from '#primitives'
import type { Validator } from '#records'
import { ed25519Pair } from '../../ed25519.ts'
import {
  type CommitSignature,
  canonicalVoteBytes,
  headerHash,
  type LightBlock,
  type LightHeader,
  readSignedHeader,
  readValidators,
  validatorAddress,
  validatorSetHash,
} from '../index.ts'

/** One second, and the time of height 0 of made chains. */
export const secondNs = 1_000_000_000n
export const genesisNs = 1_700_000_000n * secondNs

/**
 * Heights 120 to 128 of a network of four `cometbft` v0.40.0 with its `kvstore`, recorded over RPC:
 * in 121 to 124 a validator of twice the others' power came, and three of the first four left.
 */
export function recordedChain(): readonly LightBlock[] {
  const text = readFileSync(new URL('comet-chain.json', import.meta.url), 'utf8')
  const blocks = JSON.parse(text) as {
    signed_header: unknown
    validator_set: { validators: unknown }
    next_validator_set: { validators: unknown }
  }[]
  return blocks.map(({ signed_header, validator_set, next_validator_set }) => ({
    ...readSignedHeader(signed_header),
    validators: readValidators(validator_set.validators),
    nextValidators: readValidators(next_validator_set.validators),
  }))
}

/** What a made block is to be; powers by validator, 0 for one who is not in the set. */
export type Recipe = {
  readonly height: number
  readonly powers: readonly bigint[]
  readonly nextPowers?: readonly bigint[]
  /** Validators who sign for the block; the rest sign for nil. */
  readonly signers?: readonly number[]
  readonly header?: Partial<LightHeader>
  /** The chain that is signed for, where it is not the header's. */
  readonly signedChainId?: string
}

/** A block one second after the one before, with real signatures. */
export function makeBlock(recipe: Recipe): LightBlock {
  const { height, powers, nextPowers = powers } = recipe
  const [validators, nextValidators] = [setOf(powers), setOf(nextPowers)]
  const header: LightHeader = {
    ...{ blockVersion: 11n, appVersion: 0n, chainId: 'test', height, lastBlock: undefined },
    timeNs: genesisNs + BigInt(height) * secondNs,
    ...{ lastCommitHash: '0x', dataHash: '0x', consensusHash: '0x', appHash: '0x' },
    ...{ lastResultsHash: '0x', evidenceHash: '0x', proposerAddress: '0x' },
    validatorsHash: validatorSetHash(validators),
    nextValidatorsHash: validatorSetHash(nextValidators),
    ...recipe.header,
  }
  const block = { hash: headerHash(header), parts: { total: 1, hash: sha256Hex(utf8('parts')) } }
  const chainId = recipe.signedChainId ?? header.chainId
  const signatures = powers.flatMap((power, who): readonly CommitSignature[] => {
    if (power === 0n) return []
    const isFor = recipe.signers?.includes(who) ?? true
    const vote = { step: 'precommit', height, round: 0, timeNs: header.timeNs } as const
    const bytes = canonicalVoteBytes(chainId, { ...vote, block: isFor ? block : undefined })
    const { publicKey, privateKey } = keyOf(who)
    return [
      {
        votedFor: isFor ? 'block' : 'nil',
        address: validatorAddress(publicKey),
        timeNs: header.timeNs,
        signature: toHex(sign(null, bytes, privateKey)),
      },
    ]
  })
  return { header, commit: { height, round: 0, block, signatures }, validators, nextValidators }
}

const setOf = (powers: readonly bigint[]): readonly Validator[] =>
  powers.flatMap((power, who) =>
    power === 0n ? [] : [{ consensusKey: keyOf(who).publicKey, power }],
  )

function keyOf(who: number) {
  const { publicKey, privateKey } = ed25519Pair(sha256(utf8(`validator ${who}`)))
  return { publicKey: toHex(publicKey), privateKey }
}
