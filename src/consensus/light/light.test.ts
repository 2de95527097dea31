import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createVerifier } from '#consensus'
import { isMoreThanOneThird, isMoreThanTwoThirds, toHex } from '#primitives'
import {
  canonicalVoteBytes,
  compareSources,
  headerHash,
  type LightBlock,
  type LightHeader,
  LightJsonError,
  readSignedHeader,
  readTime,
  readValidators,
  type TrustOptions,
  validatorSetHash,
  verifyLightBlock,
  verifyToHeight,
} from './index.ts'
import { merkleRoot } from './merkle-root.ts'
import { genesisNs, makeBlock, recordedChain, secondNs } from './test-support/chain.ts'

const options: TrustOptions = {
  trustingPeriodNs: 3_600n * secondNs,
  clockDriftNs: 10n * secondNs,
  trustLevel: { numerator: 1n, denominator: 3n },
  check: createVerifier(),
}
const nowNs = genesisNs + 100n * secondNs
const refused = (reason: string) => ({ ok: false, reason })
const sourceOf = (blocks: readonly LightBlock[]) => async (height: number) =>
  blocks.find(({ header }) => header.height === height)
const recorded = recordedChain()
const [oldest, newest] = [recorded[0], recorded.at(-1)] as [LightBlock, LightBlock]

test('recorded chain: headers and validator sets hash to what cometbft signed', () => {
  for (const { header, commit, validators, nextValidators } of recorded) {
    assert.equal(headerHash(header), commit.block.hash)
    assert.equal(validatorSetHash(validators), header.validatorsHash)
    assert.equal(validatorSetHash([...nextValidators].reverse()), header.nextValidatorsHash)
  }
})

test('recorded chain: each block follows from the one before', () => {
  for (const [i, block] of recorded.slice(1).entries())
    assert.deepEqual(
      verifyLightBlock(recorded[i] as LightBlock, block, options, newest.header.timeNs),
      { ok: true },
    )
})

test('recorded chain: where too few of the old validators are left, blocks between lead on', async () => {
  const atNs = newest.header.timeNs
  assert.deepEqual(verifyLightBlock(oldest, newest, options, atNs), refused('NotEnoughTrust'))
  const got = await verifyToHeight(oldest, 128, sourceOf(recorded), options, atNs)
  assert(got.ok)
  assert.deepEqual(
    got.trace.map(({ header }) => header.height),
    [124, 128],
  )
})

// The layout of CometBFT's `CanonicalVote`, byte by byte; its own tests have the same.
const zeroTime = '2a0b088092b8c398feffffff01'
const votes = [
  ['prevote', '', `21080111${'01'.padEnd(16, '0')}19${'01'.padEnd(16, '0')}${zeroTime}`],
  ['precommit', '', `21080211${'01'.padEnd(16, '0')}19${'01'.padEnd(16, '0')}${zeroTime}`],
  [
    'precommit',
    'test_chain_id',
    `30080211${'01'.padEnd(16, '0')}19${'01'.padEnd(16, '0')}${zeroTime}320d746573745f636861696e5f6964`,
  ],
] as const

for (const [step, chainId, bytes] of votes)
  test(`sign bytes: a ${step} for nil of chain "${chainId}"`, () => {
    const timeNs = readTime('0001-01-01T00:00:00Z')
    const vote = { step, height: 1, round: 1, block: undefined, timeNs }
    assert.equal(toHex(canonicalVoteBytes(chainId, vote)), `0x${bytes}`)
  })

test('merkle root: the empty list is known, and no inner node passes for a leaf', () => {
  const leaves = [0, 1, 2].map((byte) => Uint8Array.of(byte))
  const pair = merkleRoot(leaves.slice(0, 2))
  assert.equal(
    toHex(merkleRoot([])),
    '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  )
  assert.notDeepEqual(merkleRoot(leaves), merkleRoot([pair, leaves[2] as Uint8Array]))
})

test('verify: a change of any field of the header is found', () => {
  const last = { hash: newest.commit.block.hash, parts: newest.commit.block.parts }
  const { header } = newest
  for (const name of Object.keys(header) as (keyof LightHeader)[]) {
    const changed = { ...header, [name]: changedField(header[name]) }
    assert.notEqual(headerHash(changed), last.hash, name)
  }
  const changed = { ...newest, header: { ...header, appHash: '0x01' as const } }
  const trusted = recorded.at(-2) as LightBlock
  assert.deepEqual(
    verifyLightBlock(trusted, changed, options, header.timeNs),
    refused('ForeignCommit'),
  )
})

function changedField(value: LightHeader[keyof LightHeader]): unknown {
  switch (typeof value) {
    case 'bigint':
      return value + 1n
    case 'number':
      return value + 1
    case 'string':
      return value.startsWith('0x') ? '0xabcd' : `${value}x`
    default:
      return undefined
  }
}

const four = [1n, 1n, 1n, 1n]
const trusted = makeBlock({ height: 1, powers: four })
type Case = readonly [string, LightBlock, string]
const forgery = makeBlock({ height: 2, powers: four })
const cases: readonly Case[] = [
  [
    'of another chain',
    makeBlock({ height: 2, powers: four, header: { chainId: 'b' } }),
    'ForeignChain',
  ],
  [
    'signed for another chain',
    makeBlock({ height: 2, powers: four, signedChainId: 'other' }),
    'BadCommitSignature',
  ],
  ['of the trusted height', makeBlock({ height: 1, powers: four }), 'HeightNotAbove'],
  [
    'that is not later',
    makeBlock({ height: 2, powers: four, header: { timeNs: trusted.header.timeNs } }),
    'TimeNotAbove',
  ],
  [
    'from beyond our clock and its drift',
    makeBlock({ height: 2, powers: four, header: { timeNs: nowNs + 10n * secondNs } }),
    'HeaderFromFuture',
  ],
  [
    'whose next set is not the one announced',
    makeBlock({ height: 2, powers: [1n, 1n, 1n] }),
    'UnexpectedValidators',
  ],
  ['with two of four', makeBlock({ height: 2, powers: four, signers: [0, 1] }), 'CommitTooWeak'],
  [
    'with exactly two thirds',
    makeBlock({ height: 3, powers: [1n, 1n, 1n], signers: [0, 1] }),
    'CommitTooWeak',
  ],
  [
    'that another set is shown for',
    { ...forgery, validators: forgery.validators.slice(1) },
    'ForeignValidatorSet',
  ],
  [
    'that another next set is shown for',
    { ...forgery, nextValidators: forgery.validators.slice(1) },
    'ForeignValidatorSet',
  ],
  [
    'with a signature twice',
    withSignatures(forgery, [...forgery.commit.signatures, ...forgery.commit.signatures]),
    'ForeignSigner',
  ],
  [
    'with a stranger’s signature',
    withSignatures(forgery, makeBlock({ height: 2, powers: [...four, 1n] }).commit.signatures),
    'ForeignSigner',
  ],
  [
    'with the commit of another height',
    { ...forgery, commit: { ...forgery.commit, height: 3 } },
    'ForeignCommit',
  ],
  [
    'committed in another round than was signed',
    { ...forgery, commit: { ...forgery.commit, round: 1 } },
    'BadCommitSignature',
  ],
]

function withSignatures(block: LightBlock, signatures: LightBlock['commit']['signatures']) {
  return { ...block, commit: { ...block.commit, signatures } }
}

for (const [what, block, reason] of cases)
  test(`verify: a block ${what} is refused`, () => {
    assert.deepEqual(verifyLightBlock(trusted, block, options, nowNs), refused(reason))
  })

test('verify: trust ends with its period, to the nanosecond', () => {
  const endNs = trusted.header.timeNs + options.trustingPeriodNs
  const next = makeBlock({ height: 2, powers: four })
  assert.deepEqual(verifyLightBlock(trusted, next, options, endNs - 1n), { ok: true })
  assert.deepEqual(verifyLightBlock(trusted, next, options, endNs), refused('TrustExpired'))
})

test('verify: exactly a third of the trusted power is not enough, whoever else signs', () => {
  const three = makeBlock({ height: 1, powers: [1n, 1n, 1n] })
  const later = (signers: readonly number[]) =>
    makeBlock({ height: 5, powers: [1n, 1n, 1n, 9n], signers })
  const verdict = (signers: readonly number[]) =>
    verifyLightBlock(three, later(signers), options, nowNs)
  assert.deepEqual(verdict([0, 3]), refused('NotEnoughTrust'))
  assert.deepEqual(verdict([0, 1, 3]), { ok: true })
})

test('verify: a step is believed by more than 1/3 of the old and 2/3 of the new power, only', () => {
  const powers = fc.array(fc.bigInt(0n, 9n), { minLength: 5, maxLength: 5 })
  const property = fc.property(
    powers.filter((all) => all.some((power) => power > 0n)),
    powers.filter((all) => all.some((power) => power > 0n)),
    fc.subarray([0, 1, 2, 3, 4]),
    (before, after, signers) => {
      const from = makeBlock({ height: 1, powers: before })
      const to = makeBlock({ height: 3, powers: after, signers })
      const sum = (all: readonly bigint[]) => all.reduce((a, b) => a + b, 0n)
      const who = signers.filter((one) => after[one] !== 0n)
      const behind = (all: readonly bigint[]) => sum(who.map((one) => all[one] ?? 0n))
      const isTrusted = isMoreThanOneThird(behind(before), sum(before))
      const isStrong = isMoreThanTwoThirds(behind(after), sum(after))
      const weak = isTrusted ? refused('CommitTooWeak') : refused('NotEnoughTrust')
      const wanted = isTrusted && isStrong ? { ok: true } : weak
      assert.deepEqual(verifyLightBlock(from, to, options, nowNs), wanted)
    },
  )
  fc.assert(property, { numRuns: 60 })
})

test('bisection: a block that is not there, and one that is refused, end it', async () => {
  const changing = [
    makeBlock({ height: 1, powers: four }),
    makeBlock({ height: 9, powers: [0n, 0n, 0n, 1n, 9n] }),
  ]
  const [from] = changing as [LightBlock]
  const missing = await verifyToHeight(from, 9, sourceOf(changing), options, nowNs)
  assert.deepEqual(missing, { ok: false, reason: 'MissingLightBlock', height: 5 })
  const weak = makeBlock({ height: 5, powers: four, signers: [0, 1] })
  const got = await verifyToHeight(from, 9, sourceOf([...changing, weak]), options, nowNs)
  assert.deepEqual(got, { ok: false, reason: 'CommitTooWeak', height: 5 })
})

test('bisection: a source cannot answer with a block of another height', async () => {
  const same = async () => makeBlock({ height: 2, powers: four })
  const got = await verifyToHeight(trusted, 9, same, options, nowNs)
  assert.deepEqual(got, { ok: false, reason: 'MissingLightBlock', height: 9 })
})

test('sources: another header of the same height is a conflict, silence is none', async () => {
  const fork = makeBlock({ height: 2, powers: four, header: { appHash: '0x01' } })
  const [silent, same, other] = [[], [forgery], [fork]].map(sourceOf)
  assert(silent && same && other)
  assert.deepEqual(await compareSources(forgery, [silent, same]), { ok: true })
  assert.deepEqual(await compareSources(forgery, [same, other]), refused('ConflictingHeaders'))
})

test('json: what is no light block is refused with the field that is wrong', () => {
  const wrong: readonly (readonly [() => unknown, string])[] = [
    [() => readSignedHeader(null), 'signed_header'],
    [() => readSignedHeader({ header: {}, commit: {} }), 'version'],
    [() => readValidators({}), 'validators'],
    [() => readValidators([{ pub_key: { type: 'other' }, voting_power: '1' }]), 'pub_key.type'],
    [() => readTime('yesterday'), 'time'],
    [() => readTime('2020-01-01T00:00:00'), 'time'],
  ]
  for (const [read, field] of wrong)
    assert.throws(read, (error) => error instanceof LightJsonError && error.details.field === field)
})
