// Writes contracts/test/vectors/Vectors.sol: signatures of real FROST groups made with
// @noble/curves, the RFC's own vector, points at the edges of the ranges, and what src/records
// computes for a checkpoint and a leaf. Deterministic: another run gives the same file.
// With --check it writes nothing and exits 1 when the committed file differs.
//   node tools/contract-vectors.ts [--check]
import { readFileSync, writeFileSync } from 'node:fs'
import { secp256k1_FROST as frost, secp256k1 } from '@noble/curves/secp256k1.js'
import { encodeAbiParameters, getContractAddress } from 'viem'
import {
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  fromHex,
  type Hex,
  keccak256Hex,
  sha256,
  toHex,
  utf8,
} from '#primitives'
import { type Checkpoint, checkpointMessage, type Leaf, leafHash } from '#records'

const { Point } = secp256k1
const fieldOrder = Point.Fp.ORDER
const groupOrder = Point.Fn.ORDER

/** Deployer whose first contract is the Outbox of the vectors; the test pranks it. */
const deployer = '0x00000000000000000000000000000000000d0E01'
const l1ChainId = 31337
const outbox = getContractAddress({ from: deployer, nonce: 0n }).toLowerCase() as Hex

type Rng = (length?: number) => Uint8Array
type Group = {
  readonly publicKey: Uint8Array
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** A stream of SHA-256(seed ‖ counter): reproducible, for vectors only. */
function createRng(seed: string): Rng {
  let counter = 0n
  return (length = 32) => {
    let bytes = new Uint8Array(0)
    while (bytes.length < length)
      bytes = new Uint8Array(concatBytes(bytes, sha256(utf8(seed), bigintToBytes(counter++, 8))))
    return bytes.slice(0, length)
  }
}

/** A group of `max` operators of whom the last `min` sign. */
function createGroup(min: number, max: number, seed: string): Group {
  const rng = createRng(seed)
  const ids = Array.from({ length: max }, (_, i) => frost.Identifier.fromNumber(i + 1))
  const deal = frost.trustedDealer({ min, max }, ids, undefined, rng)
  const signers = ids.slice(max - min).map((id) => required(deal.secretShares[id]))
  const sign = (message: Uint8Array) => {
    const nonces = signers.map((share) => frost.commit(share, rng))
    const commitments = nonces.map((nonce) => nonce.commitments)
    const shares = signers.map((share, i) => [
      share.identifier,
      frost.signShare(share, deal.public, required(nonces[i]).nonces, commitments, message),
    ])
    return frost.aggregate(deal.public, commitments, message, Object.fromEntries(shares))
  }
  return { publicKey: required(deal.public.commitments[0]), sign }
}

const required = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('missing')
  return value
}

const word = (value: bigint) => toHex(bigintToBytes(value, 32))

/** Members of the struct `Signed`. */
function signed(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): string {
  const key = Point.fromBytes(publicKey).toAffine()
  const r = Point.fromBytes(signature.slice(0, 33)).toAffine()
  return [
    word(key.x),
    `${key.y & 1n}`,
    `hex"${toHex(message).slice(2)}"`,
    word(r.x),
    word(r.y),
    word(bytesToBigint(signature.slice(33))),
  ].join(',\n            ')
}

/** The smallest x from `from` up that has a point. */
function pointFromX(from: bigint): { x: bigint; y: bigint } {
  for (let x = from; ; x++)
    try {
      return Point.fromBytes(concatBytes(Uint8Array.of(2), bigintToBytes(x, 32))).toAffine()
    } catch {} // no point has this x: the next one
}

/** The smallest y ≥ 1 that has a point: y² − 7 must be a cube. */
function pointWithSmallY(): { x: bigint; y: bigint } {
  const { Fp } = Point
  for (let y = 1n; ; y++) {
    const cube = Fp.create(y * y - 7n)
    const x = Fp.pow(cube, (fieldOrder + 2n) / 9n) // a cube root, if there is one: P mod 9 = 7
    if (Fp.eql(Fp.pow(x, 3n), cube)) return { x, y }
  }
}

const pointFunction = (name: string, { x, y }: { x: bigint; y: bigint }) => `
    function ${name}() internal pure returns (uint256 x, uint256 y) {
        x = ${word(x)};
        y = ${word(y)};
    }
`

const signedFunction = (name: string, members: string) => `
    function ${name}() internal pure returns (Signed memory) {
        return Signed(
            ${members}
        );
    }
`

/** RFC 9591 appendix E.5: group key, message "test", and signature. */
const rfcKey = '0x02f37c34b66ced1fb51c34a90bdae006901f10625cc06c4f64663b0eae87d87b4f'
const rfcSignature =
  '0x0205b6d04d3774c8929413e3c76024d54149c372d57aae62574ed74319b5ea14d0c65dde8492a7471437e6c2fe3da49b90d23f642b5c6dbe7e36089f096dd97324'

const checkpoint: Checkpoint = {
  index: 7,
  size: 300,
  root: toHex(sha256(utf8('root'))),
  startS: 1_700_000_000,
  windowS: 24,
  submitters: [3, 1, 65535],
}
const leaf: Leaf = {
  index: 299,
  service: 'price',
  kind: 'result',
  subject: toHex(sha256(utf8('task'))),
  rule: 'median',
  agreeingWeight: 3,
  committeeWeight: 4,
  stakeWei: 10n ** 20n,
  body: fromHex(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'int256' }, { type: 'uint64' }],
      [toHex(concatBytes(utf8('ETH-USD'), new Uint8Array(25))), -314n, 1_700_000_001n],
    ),
  ),
}
const checkpointGroup = createGroup(3, 4, 'outbox')
const certificate = fromHex(checkpointMessage({ l1ChainId, outbox }, checkpoint))
const possession = fromHex(
  keccak256Hex(
    fromHex(
      encodeAbiParameters(
        [{ type: 'bytes32' }, { type: 'uint256' }, { type: 'address' }],
        [keccak256Hex(utf8('NodeOP proof of possession v1')), BigInt(l1ChainId), outbox],
      ),
    ),
  ),
)

const groups = [
  [2, 2],
  [2, 3],
  [3, 4],
  [5, 7],
  [11, 16],
] as const
const cases = groups.flatMap(([min, max]) => {
  const group = createGroup(min, max, `${min} of ${max}`)
  return ['a', 'b', 'c'].map((name) => {
    const message = sha256(utf8(`message ${name} of ${min} of ${max}`))
    return signed(group.publicKey, message, group.sign(message))
  })
})

const checkpointKey = checkpointGroup.publicKey
const rfcVector = signed(fromHex(rfcKey), utf8('test'), fromHex(rfcSignature))
const functions = [
  signedFunction('rfc9591', rfcVector),
  signedFunction('possession', signed(checkpointKey, possession, checkpointGroup.sign(possession))),
  signedFunction(
    'checkpoint',
    signed(checkpointKey, certificate, checkpointGroup.sign(certificate)),
  ),
  pointFunction('smallXPoint', pointFromX(1n)),
  pointFunction('smallYPoint', pointWithSmallY()),
  pointFunction('unverifiableKey', pointFromX(groupOrder)),
]
const caseBranches = cases.map((members, i) =>
  [
    `        if (i == ${i}) {`,
    '            return Signed(',
    `                ${members.replaceAll('\n', '\n    ')}`,
    '            );',
    '        }',
  ].join('\n'),
)

const text = `// SPDX-License-Identifier: Apache-2.0
// Generated by tools/contract-vectors.ts.
pragma solidity 0.8.30;

library Vectors {
    struct Signed {
        uint256 x;
        uint8 parity;
        bytes message;
        uint256 rx;
        uint256 ry;
        uint256 z;
    }

    address internal constant DEPLOYER = ${deployer};
    bytes32 internal constant CHECKPOINT_MESSAGE =
        ${toHex(certificate)};
    bytes32 internal constant LEAF_HASH =
        ${leafHash(leaf)};
    uint256 internal constant CASES = ${cases.length};
${functions.join('')}
    function signedCase(uint256 i) internal pure returns (Signed memory) {
${caseBranches.join('\n')}
        revert("no such case");
    }
}
`
const file = new URL('../contracts/test/vectors/Vectors.sol', import.meta.url)
if (process.argv[2] !== '--check') writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  process.stderr.write('contracts/test/vectors/Vectors.sol is not what this program writes\n')
  process.exitCode = 1
}
