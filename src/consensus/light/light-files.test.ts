// Verdicts of Tendermint's own light client on single steps, made from a model and signed with real
// keys. They are read from outside the project, and skipped where they are not.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { createVerifier } from '#consensus'
import {
  type LightBlock,
  type LightVerdict,
  readSignedHeader,
  readTime,
  readValidators,
  type TrustedBlock,
  verifyLightBlock,
} from './index.ts'

const folder = resolve(
  process.env.NODEOP_DATA ?? resolve(import.meta.dirname, '../../../../shared/data'),
  'light-client',
)
const check = createVerifier()
const trustLevel = { numerator: 1n, denominator: 3n }

type JsonBlock = {
  signed_header: unknown
  validator_set: { validators: unknown }
  next_validator_set: { validators: unknown }
}
type SingleStep = {
  initial: {
    signed_header: unknown
    next_validator_set: { validators: unknown }
    trusting_period: string
  }
  input: { block: JsonBlock; now: string; verdict: 'SUCCESS' | 'NOT_ENOUGH_TRUST' | 'INVALID' }[]
}
const readBlock = ({
  signed_header,
  validator_set,
  next_validator_set,
}: JsonBlock): LightBlock => ({
  ...readSignedHeader(signed_header),
  validators: readValidators(validator_set.validators),
  nextValidators: readValidators(next_validator_set.validators),
})

const verdictOf = (verdict: LightVerdict) => {
  if (verdict.ok) return 'SUCCESS'
  return verdict.reason === 'NotEnoughTrust' ? 'NOT_ENOUGH_TRUST' : 'INVALID'
}

function singleStep({ initial, input }: SingleStep): void {
  let trusted: TrustedBlock = {
    ...readSignedHeader(initial.signed_header),
    nextValidators: readValidators(initial.next_validator_set.validators),
  }
  const trustingPeriodNs = BigInt(initial.trusting_period)
  for (const { block: json, now, verdict } of input) {
    const block = readBlock(json)
    const options = { trustingPeriodNs, clockDriftNs: 0n, trustLevel, check }
    const got = verifyLightBlock(trusted, block, options, readTime(now))
    assert.equal(verdictOf(got), verdict, JSON.stringify(got))
    if (got.ok) trusted = block
  }
}

const files = existsSync(folder) ? globSync('*.json', { cwd: folder }).sort() : []

test('light client: there are verdict files', (context) => {
  if (files.length === 0) context.skip('no light-client data: see NODEOP_DATA')
})

for (const file of files)
  test(`light client: the verdicts of ${file}`, () => {
    singleStep(JSON.parse(readFileSync(join(folder, file), 'utf8')) as SingleStep)
  })
