import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CodecError, decode, encode } from './codec.ts'
import { readCall, writeCall } from './quick-call.ts'
import { maxCallBytes, type Transaction, transactionCodec } from './transaction.ts'

const tag = 4
const limits = { service: 31, payload: maxCallBytes }

const call = fc.record(
  {
    kind: fc.constant('call' as const),
    service: fc.string({ unit: 'grapheme-ascii', maxLength: 31 }),
    payload: fc.uint8Array({ maxLength: 300 }),
  },
  { noNullPrototype: true },
)

/** What the general codec says. */
function byCodec(bytes: Uint8Array): Transaction | undefined {
  try {
    return decode(transactionCodec, bytes)
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

test('quick call: every call in plain letters is read as the codec reads it', () => {
  const read = (bytes: Uint8Array) => ({ kind: 'call', ...readCall(bytes, tag, limits) })
  fc.assert(fc.property(call, (one) => assert.deepEqual(read(encode(transactionCodec, one)), one)))
})

test('quick call: a call is written as the codec writes it, and left to it in other letters', () => {
  const other = fc.string({ unit: 'grapheme', maxLength: 8 }).map((service) => ({ service }))
  fc.assert(
    fc.property(
      fc.oneof(
        call,
        fc.tuple(call, other).map((two) => Object.assign({}, ...two)),
      ),
      (one) => {
        const bytes = writeCall(one, tag, limits)
        const isPlain = /^[\0-\x7f]*$/.test(one.service)
        assert.deepEqual(bytes, isPlain ? encode(transactionCodec, one) : undefined)
      },
    ),
  )
  const long = { service: 'a'.repeat(31), payload: new Uint8Array(maxCallBytes) }
  assert(writeCall(long, tag, limits))
  assert.equal(writeCall(long, tag, { ...limits, service: 30 }), undefined)
  assert.equal(writeCall(long, tag, { ...limits, payload: maxCallBytes - 1 }), undefined)
})

test('quick call: nothing is read that the codec refuses or reads otherwise', () => {
  const damage = fc.record({
    at: fc.nat(60),
    byte: fc.nat(255),
    cut: fc.nat(20),
    add: fc.uint8Array({ maxLength: 3 }),
  })
  fc.assert(
    fc.property(call, damage, (one, { at, byte, cut, add }) => {
      const bytes = encode(transactionCodec, one)
      bytes[at % bytes.length] = byte
      const damaged = new Uint8Array([...bytes.subarray(0, bytes.length - cut), ...add])
      const quick = readCall(damaged, tag, limits)
      if (quick) assert.deepEqual({ kind: 'call', ...quick }, byCodec(damaged))
    }),
    { numRuns: 1000 },
  )
})

test('quick call: the payload is a copy, also of a Buffer, whose slice would be none', () => {
  const call = { kind: 'call', service: 'abc', payload: new Uint8Array([1, 2, 3]) } as const
  const bytes = Buffer.from(encode(transactionCodec, call))
  const quick = readCall(bytes, tag, limits)
  bytes.fill(0)
  assert.deepEqual(quick?.payload, call.payload)
})

test('quick call: what exceeds a limit is left to the codec', () => {
  const bytes = encode(transactionCodec, {
    kind: 'call',
    service: 'abc',
    payload: new Uint8Array(9),
  })
  assert.ok(readCall(bytes, tag, { service: 3, payload: 9 }))
  assert.equal(readCall(bytes, tag, { service: 2, payload: 9 }), undefined)
  assert.equal(readCall(bytes, tag, { service: 3, payload: 8 }), undefined)
})

test('quick call: other transactions are left to the codec', () => {
  const bytes = encode(transactionCodec, { kind: 'randomness', proof: `0x${'44'.repeat(80)}` })
  assert.equal(readCall(bytes, tag, limits), undefined)
})
