import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeAbiParameters, stringToHex } from 'viem'
import { toHex, utf8 } from '#primitives'
import { decode, encode, serviceSpecCodec } from '#records'
import {
  decodePriceLeaf,
  encodeSymbol,
  formatPrice,
  parsePrice,
  priceService,
  priceSpec,
  SymbolError,
} from './index.ts'

const payload = encodeSymbol('ETH/USD')
const { check, checkResult, toNumber, fromNumber, leafBody } = priceService

test('check: symbols of capital letters and digits are served', () => {
  for (const symbol of ['ETH/USD', 'A/B', '1INCH/USDT', `${'A'.repeat(15)}/${'B'.repeat(15)}`])
    assert.deepEqual(check(utf8(symbol)), { ok: true }, symbol)
})

test('check: anything else is refused with a reason for people', () => {
  const bad = [
    '',
    'A/',
    '/B',
    'ETH',
    'eth/usd',
    'ETH/USD/EUR',
    'ETH /USD',
    'ETH/USD\n',
    'ETH/US\0',
    'ÉTH/USD',
    `${'A'.repeat(16)}/${'B'.repeat(15)}`,
  ]
  for (const symbol of bad) {
    const verdict = check(utf8(symbol))
    assert(!verdict.ok && verdict.reason === 'BadSymbol' && verdict.detail?.includes('ETH/USD'))
    assert.throws(() => encodeSymbol(symbol), SymbolError)
  }
  assert(!check(new Uint8Array([0xff, 0x2f, 0xff])).ok)
})

test('checkResult: a price is 32 bytes and above zero', () => {
  assert.deepEqual(checkResult(payload, fromNumber(1n)), { ok: true })
  assert.deepEqual(checkResult(payload, fromNumber(2n ** 255n - 1n)), { ok: true })
  for (const bad of [fromNumber(0n), fromNumber(-1n), new Uint8Array(31), new Uint8Array(33)]) {
    const verdict = checkResult(payload, bad)
    assert(!verdict.ok && verdict.reason === 'BadPrice')
  }
})

test('fromNumber, toNumber: every int256 survives, nothing larger is written', () => {
  const int256 = fc.bigInt({ min: -(2n ** 255n), max: 2n ** 255n - 1n })
  fc.assert(fc.property(int256, (value) => assert.equal(toNumber(fromNumber(value)), value)))
  assert.equal(toHex(fromNumber(-2n)), `0x${'f'.repeat(63)}e`)
  assert.throws(() => fromNumber(2n ** 255n), /defect/)
})

test('leafBody: is abi.encode(bytes32 symbol, int256 price, uint64 timeS)', () => {
  const body = leafBody(payload, fromNumber(312_345_000_000n), 1_700_000_000_999)
  const types = [{ type: 'bytes32' }, { type: 'int256' }, { type: 'uint64' }] as const
  const [symbol, price, timeS] = decodeAbiParameters(types, body)
  assert.equal(symbol, stringToHex('ETH/USD', { size: 32 }))
  assert.deepEqual([price, timeS], [312_345_000_000n, 1_700_000_000n])
  assert.equal(body.length, 96)
  assert.deepEqual(decodePriceLeaf(body), {
    symbol: 'ETH/USD',
    price: 312_345_000_000n,
    timeS: 1_700_000_000,
  })
})

test('decodePriceLeaf: the body of another service is none', () => {
  assert.equal(decodePriceLeaf(new Uint8Array(96)), undefined)
  assert.equal(decodePriceLeaf(new Uint8Array(95).fill(65)), undefined)
  assert.equal(decodePriceLeaf(new Uint8Array(96).fill(65)), undefined)
})

test('parsePrice: plain decimals, exactly, cut at the eighth', () => {
  assert.equal(parsePrice('3123.45'), 312_345_000_000n)
  assert.equal(parsePrice('0.000000019'), 1n)
  assert.equal(parsePrice('90071992547409931.1'), 9_007_199_254_740_993_110_000_000n)
  assert.equal(parsePrice('7'), 700_000_000n)
  for (const bad of ['', '.5', '5.', '-1', '+1', '1e3', ' 1', '1 ', '1,5', 'NaN', '0x10', '1\n'])
    assert.equal(parsePrice(bad), undefined, bad)
  assert.equal(parsePrice('1'.repeat(31)), undefined)
})

test('formatPrice: parsePrice reads it back', () => {
  const price = fc.bigInt({ min: 0n, max: 10n ** 38n - 1n })
  fc.assert(fc.property(price, (one) => assert.equal(parsePrice(formatPrice(one)), one)))
  assert.equal(formatPrice(-150_000_000n), '-1.50000000')
})

test('spec: the terms survive the record that holds them', () => {
  assert.deepEqual(decode(serviceSpecCodec, encode(serviceSpecCodec, priceSpec)), priceSpec)
  assert.deepEqual([priceSpec.rule, priceSpec.committee, priceSpec.fee], ['median', 4, 10n ** 15n])
})
