import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromBinary,
  type Message,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf'
import {
  Request as OracleRequest,
  Response as OracleResponse,
} from 'cosmjs-types/tendermint/abci/types'
import fc from 'fast-check'
import { BadFrameError } from './frames.ts'
import { type Request, RequestSchema, ResponseSchema } from './messages/abci_pb.ts'
import { decodeRequest, UnknownMessageError } from './messages.ts'

/** Where the oracle is older than the messages. */
const unknownToOracle = new Set([
  ...['insert_tx', 'reap_txs', 'authority'],
  ...['bls12381', 'mldsa65', 'secp256k1eth'],
])

const scalars: Partial<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.STRING]: fc.string({ unit: 'grapheme', maxLength: 20 }),
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 40 }),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.INT32]: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  [ScalarType.UINT32]: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  [ScalarType.INT64]: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  [ScalarType.UINT64]: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
}

const scalarOf = (type: ScalarType) => scalars[type] ?? assert.fail(`no values of type ${type}`)
const enumOf = ({ values }: DescEnum) => fc.constantFrom(...values.map(({ number }) => number))

function valuesOf(field: DescField): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case 'scalar':
      return scalarOf(field.scalar)
    case 'enum':
      return enumOf(field.enum)
    case 'message':
      return messageOf(field.message)
    case 'list': {
      const { listKind } = field
      if (listKind === 'message') return fc.array(messageOf(field.message), { maxLength: 3 })
      const item = listKind === 'enum' ? enumOf(field.enum) : scalarOf(field.scalar)
      // The oracle writes an empty packed list out.
      return fc.array(item, { minLength: 1, maxLength: 3 })
    }
    default:
      return assert.fail(`no values of kind ${field.fieldKind}`)
  }
}

/** Values with every message in them: CometBFT writes those out too, be they empty. */
function messageOf(schema: DescMessage): fc.Arbitrary<Message> {
  const known = schema.fields.filter(({ name }) => !unknownToOracle.has(name))
  const plain = known.filter(({ oneof }) => oneof === undefined)
  const record = fc.record(Object.fromEntries(plain.map((one) => [one.localName, valuesOf(one)])))
  const choices = schema.oneofs.map((group) =>
    fc
      .oneof(
        ...known
          .filter(({ oneof }) => oneof === group)
          .map((one) => valuesOf(one).map((value) => ({ case: one.localName, value }))),
      )
      .map((value) => ({ [group.localName]: value })),
  )
  return fc
    .tuple(record, ...choices)
    .map((parts) => create(schema, Object.assign({}, ...parts) as Record<string, unknown>))
}

type Oracle = {
  readonly decode: (bytes: Uint8Array) => unknown
  readonly encode: (value: never) => { finish(): Uint8Array }
}

/** What the oracle reads of our bytes it writes to the same bytes, and so do we. */
function agree(schema: DescMessage, { decode, encode }: Oracle): void {
  fc.assert(
    fc.property(messageOf(schema), (message) => {
      const ours = toBinary(schema, message)
      const theirs = encode(decode(ours) as never).finish()
      assert.equal(Buffer.from(theirs).toString('hex'), Buffer.from(ours).toString('hex'))
      assert.deepEqual(toBinary(schema, fromBinary(schema, theirs)), ours)
    }),
    { numRuns: 2000 },
  )
}

test('requests: their bytes are those of another implementation', () => {
  agree(RequestSchema, OracleRequest)
})

test('responses: their bytes are those of another implementation', () => {
  agree(ResponseSchema, OracleResponse)
})

test('requests: bytes that are no message are refused, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeRequest(bytes)
      } catch (error) {
        assert(error instanceof BadFrameError || error instanceof UnknownMessageError)
      }
    }),
    { numRuns: 5000 },
  )
})

test('requests: each is read as what was written', () => {
  const written = messageOf(RequestSchema).map((message) => message as Request)
  fc.assert(
    fc.property(written, (message) => {
      assert.deepEqual(decodeRequest(toBinary(RequestSchema, message)), message.value)
    }),
    { numRuns: 500 },
  )
})

/** Bytes that a decoder could take for a message, though what is in them contradicts itself. */
const contradictions: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['a transaction ends after its message', [0x42, 2, 0x0a, 5, 1, 2, 3, 4, 5]],
  ['a number ends after its message', [0x42, 1, 0x10, 1]],
  ['a message inside ends after the one around it', [0x8a, 1, 4, 0x12, 4, 0x08, 2, 0x12, 0]],
  ['a transaction is written as a number', [0x42, 4, 0x08, 2, 1, 2]],
  ['a message is written as a number', [0x10, 0]],
  ['a message is written as a group', [0x13, 0]],
  ['an unknown field ends after its message', [0x42, 3, 0x7a, 5, 1, 2, 3, 4, 5]],
]

test('requests: a length or a type that contradicts what is around it is refused', () => {
  for (const [name, bytes] of contradictions)
    assert.throws(() => decodeRequest(Uint8Array.from(bytes)), BadFrameError, name)
})

test('requests: fields that are not known yet are passed over', () => {
  const unknown = [0x7a, 1, 9, 0x78, 0x80, 1, 0x7d, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8]
  const tx = [0x0a, 2, 1, 2]
  const asked = decodeRequest(Uint8Array.of(0x42, unknown.length + tx.length, ...unknown, ...tx))
  assert(asked.case === 'checkTx')
  assert.deepEqual([...asked.value.tx], [1, 2])
})

test('requests: a message of a kind that nobody knows is told from broken bytes', () => {
  assert.throws(() => decodeRequest(Uint8Array.of(0x22, 0)), UnknownMessageError) // SetOption
  assert.throws(() => decodeRequest(new Uint8Array()), UnknownMessageError)
  assert.throws(() => decodeRequest(Uint8Array.of(0x42, 5, 1)), BadFrameError)
})

test('requests: transactions are views of what was received', () => {
  const bytes = toBinary(
    RequestSchema,
    create(RequestSchema, { value: { case: 'checkTx', value: { tx: new Uint8Array(250) } } }),
  )
  const asked = decodeRequest(bytes)
  assert(asked.case === 'checkTx')
  assert.equal(asked.value.tx.buffer, bytes.buffer)
})
