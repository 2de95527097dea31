// Published vectors of RFC 9591 and of ZcashFoundation/frost. They are read from outside the
// project, and skipped where they are not.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import type { Hex } from '#primitives'
import type { Session } from '#records'
import { bind } from './binding.ts'
import {
  aggregate,
  type DkgBroadcast,
  dkgRound2,
  dkgRound3,
  judgeShares,
  verifyGroupSignature,
} from './index.ts'
import { frost, identifierOf, Point, parsePoint, Scalar } from './suite.ts'

const folder = resolve(
  process.env.NODEOP_DATA ?? resolve(import.meta.dirname, '../../../shared/data'),
  'frost',
)

/** Loads a vector, or skips the test and says why. */
function load<Vector>(name: string, context: { skip(message: string): void }): Vector | undefined {
  const path = resolve(folder, name)
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Vector
  context.skip(`${name} is not here: set NODEOP_DATA to the folder that holds frost/`)
  return undefined
}

type SigningVector = {
  inputs: {
    group_public_key?: string
    verifying_key_key?: string
    message: string
    participant_shares: { identifier: number; participant_share: string }[]
  }
  round_one_outputs: {
    outputs: {
      identifier: number
      hiding_nonce_randomness: string
      binding_nonce_randomness: string
      hiding_nonce_commitment: string
      binding_nonce_commitment: string
      binding_factor: string
    }[]
  }
  round_two_outputs: { outputs: { identifier: number; sig_share: string }[] }
  final_output: { sig: string }
}

const hex = (text: string): Hex => `0x${text}`
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

function sessionOf(vector: SigningVector): Session {
  const shares = new Map(
    vector.round_two_outputs.outputs.map(({ identifier, sig_share }) => [identifier, sig_share]),
  )
  const signers = vector.round_one_outputs.outputs.map((one) => ({
    operator: one.identifier,
    nonce: {
      index: 0,
      hiding: hex(one.hiding_nonce_commitment),
      binding: hex(one.binding_nonce_commitment),
    },
    share: hex(shares.get(one.identifier) as string),
  }))
  return {
    checkpoint: 1,
    attempt: 1,
    message: hex(vector.inputs.message),
    signers,
    openedHeight: 1,
    openedMs: 1,
  }
}

for (const name of ['rfc9591-secp256k1-sha256.json', 'zf-secp256k1.json'])
  test(`vector ${name}: nonces, binding factors, shares and signature`, (context) => {
    const vector = load<SigningVector>(name, context)
    if (!vector) return
    const { inputs, final_output } = vector
    const groupKey = hex((inputs.group_public_key ?? inputs.verifying_key_key) as string)
    const session = sessionOf(vector)
    const bound = bind(session, parsePoint(groupKey) as Point)
    const secrets = new Map(
      inputs.participant_shares.map((one) => [one.identifier, bytes(one.participant_share)]),
    )
    for (const [i, one] of vector.round_one_outputs.outputs.entries()) {
      const signingShare = secrets.get(one.identifier) as Uint8Array
      const secret = { identifier: identifierOf(one.identifier), signingShare }
      const random = [one.hiding_nonce_randomness, one.binding_nonce_randomness].map(bytes)
      const { commitments } = frost.commit(secret, () => random.shift() as Uint8Array)
      assert.deepEqual(commitments.hiding, bytes(one.hiding_nonce_commitment))
      assert.deepEqual(commitments.binding, bytes(one.binding_nonce_commitment))
      const factor = bound?.signers[i]?.bindingFactor as bigint
      assert.deepEqual(Scalar.toBytes(factor), bytes(one.binding_factor))
    }
    const verifyingShares = new Map(
      [...secrets].map(([id, share]) => {
        const point = Point.BASE.multiply(Scalar.fromBytes(share))
        return [id, hex(point.toHex())] as const
      }),
    )
    assert.equal(aggregate(session, groupKey), hex(final_output.sig))
    assert(verifyGroupSignature(groupKey, session.message, hex(final_output.sig)))
    assert.deepEqual(judgeShares(session, groupKey, verifyingShares), { bad: [] })
  })

type DkgParty = {
  signing_key: string
  coefficient: string
  vss_commitments: string[]
  proof_of_knowledge: string
  signing_shares: Record<string, string>
  verifying_share: string
  signing_share: string
}

test('vector zf-secp256k1-dkg.json: proofs, deals and keys', (context) => {
  type DkgVector = { inputs: { verifying_key: string } & Record<'1' | '2' | '3', DkgParty> }
  const vector = load<DkgVector>('zf-secp256k1-dkg.json', context)
  if (!vector) return
  const operators = [1, 2, 3] as const
  const broadcasts: DkgBroadcast[] = operators.map((operator) => ({
    operator,
    commitment: vector.inputs[operator].vss_commitments.map(hex),
    proof: hex(vector.inputs[operator].proof_of_knowledge),
  }))
  for (const operator of operators) {
    const party: DkgParty = vector.inputs[operator]
    const others = broadcasts.filter((one) => one.operator !== operator)
    const coefficients = [party.signing_key, party.coefficient].map((one) => BigInt(hex(one)))
    const plan = { operator, operators, threshold: 2 }
    const own = broadcasts[operator - 1] as DkgBroadcast
    const second = dkgRound2({ plan, own, coefficients }, others)
    assert(second.ok)
    for (const { to, share } of second.deals)
      assert.equal(share, hex(vector.inputs[to as 1].signing_shares[operator] as string))
    const deals = others.map(({ operator: from }) => ({
      from,
      to: operator,
      share: hex(party.signing_shares[from] as string),
    }))
    const third = dkgRound3(second.state, deals)
    assert(third.ok)
    assert.equal(third.key.secretShare, hex(party.signing_share))
    assert.equal(third.key.verifyingShare, hex(party.verifying_share))
    assert.equal(third.key.groupKey, hex(vector.inputs.verifying_key))
  }
})
