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
import { RequestSchema, ResponseSchema } from './messages/abci_pb.ts'
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
