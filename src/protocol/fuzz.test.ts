import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex, type Wei } from '#primitives'
import { appHash, applyTransaction, type Ledger, parameterNames } from '#protocol'
import {
  encodeTransaction,
  type L1Event,
  maxUint256,
  type Statement,
  type Transaction,
  tryDecodeTransaction,
} from '#records'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { LedgerNetwork, totalWei } from '../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  commits,
  cut,
  deposited,
  introduce,
  nonceOf,
  publishNonces,
  recorded,
  slowCuts,
  testSalt,
  viewOf,
  vouch,
} from '../../test/support/ledger-script.ts'

const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
const tasks = [network.task(), network.task({ service: 'text' })]
const states = Object.entries(walk())

/** One network in every state that a transaction can meet. */
function walk(): Record<string, Ledger> {
  const seen: Record<string, Ledger> = { genesis: network.ledger }
  introduce(network)
  network.block(publishNonces(network, 8))
  network.block(tasks)
  network.block()
  seen.committing = network.ledger
  network.block(commits(network, () => 7))
  seen.revealing = network.ledger
  agreeOnTask(network)
  cut(network)
  seen.signing = network.ledger
  const forked = { ...viewOf(network, []).view, fork: true }
  network.block([1, 2].map((id) => network.report(id, [{ kind: 'view', view: forked }])))
  seen.frozen = network.ledger
  network.ledger = seen.signing
  vouch(network, [deposited(network.client.address, maxUint256)])
  seen.full = network.ledger
  network.block([], 3_000)
  for (let i = 0; i < 4; i++) network.block()
  vouch(network, [recorded(network.ledger.checkpoints.get('1') ?? assert.fail())])
  seen.landed = network.ledger
  return seen
}

const ids = [...tasks.map((one) => network.idOf(one)), testSalt]
const safe = fc.constantFrom(0, 1, 2, 3, 255, 65_535, 2 ** 32, Number.MAX_SAFE_INTEGER)
const small = fc.constantFrom(0, 1, 2, 3, 255)
const hash = fc.oneof(
  fc.constantFrom(...ids),
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex),
)
const address = fc.constantFrom(network.client.address, network.genesis.outbox)
const bytes = fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.constant(new Uint8Array(4096)))
const amount = fc.constantFrom(0n, 1n, 1_000n, maxUint256 - 1n, maxUint256)
const name = fc.constantFrom('byte', 'text', 'tally', '', 'ü', 'x'.repeat(31))

const commitment = fc.record({
  index: safe,
  hiding: fc.constantFrom(nonceOf(network, 1, 0).hiding, `0x02${'ff'.repeat(32)}` as const),
  binding: fc.constantFrom(nonceOf(network, 1, 0).binding, `0x${'00'.repeat(33)}` as const),
})
const statement: fc.Arbitrary<Statement> = fc.oneof(
  fc.record({ kind: fc.constant('commit'), task: hash, attempt: small, digest: hash }),
  fc.record({ kind: fc.constant('reveal'), task: hash, attempt: small, result: bytes, salt: hash }),
  fc.record({ kind: fc.constant('nonces'), commitments: fc.array(commitment, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('share'), checkpoint: safe, attempt: small, share: hash }),
  fc.record({
    kind: fc.constant('view'),
    view: fc.record({ block: safe, events: safe, digest: hash, fork: fc.boolean() }),
  }),
  fc.record({
    kind: fc.constant('vote'),
    parameter: fc.oneof(name, fc.constantFrom(...parameterNames)),
    value: fc.oneof(amount, fc.bigInt(0n, 4_000n)),
  }),
  fc.record({
    kind: fc.constant('declare'),
    declaration: fc.record({
      capacity: fc.constantFrom(0, 1, 2 ** 32 - 1),
      costs: fc.array(fc.record({ service: name, cost: amount.map((one) => one as Wei) }), {
        maxLength: 3,
      }),
      group: fc.constantFrom('', 'acme', 'Acme', 'ü'),
    }),
  }),
)

const position = { block: safe, transaction: hash, logIndex: safe }
const l1Event: fc.Arbitrary<L1Event> = fc.oneof(
  fc.record({
    kind: fc.constant('checkpoint-recorded'),
    ...position,
    ...{ index: safe, size: safe, root: hash, submitter: address, timeS: safe },
    operator: fc.constantFrom(0, 1, 5, 65_535),
    window: fc.nat(255),
  }),
  fc.record({
    kind: fc.constant('leaf-executed'),
    ...position,
    ...{ leafIndex: safe, subject: hash, success: fc.boolean(), executor: address },
  }),
  fc.record({ kind: fc.constant('deposited'), ...position, account: address, amountWei: amount }),
)

const transaction: fc.Arbitrary<Transaction> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.array(statement, { maxLength: 4 }), hash, safe)
    .map(([id, statements, instance, sequence]) =>
      network.report(id, statements, {
        ...(sequence > 3 ? { instance } : {}),
        ...(sequence > 255 ? { sequence } : {}),
        ...(sequence === 0 ? { operator: 65_535 } : {}),
      }),
    ),
  fc
    .record({ service: name, payload: bytes, maxFee: amount, validUntilMs: safe, salt: hash })
    .map(({ maxFee, validUntilMs, ...rest }) =>
      network.task({
        ...rest,
        maxFee: maxFee as Wei,
        ...(validUntilMs > 3 ? { validUntilMs } : {}),
      }),
    ),
  fc.array(l1Event, { maxLength: 3 }).map((events) => ({ kind: 'l1-events', events }) as const),
  fc.record({ kind: fc.constant('call'), service: name, payload: bytes }),
  fc.record({
    kind: fc.constant('randomness'),
    proof: fc.uint8Array({ minLength: 80, maxLength: 80 }).map(toHex),
  }),
)

const block = {
  height: network.height + 1,
  timeMs: network.timeMs + 1,
  proposer: network.operators[0]?.consensusKey ?? '0x',
} as const

/** What transactions have come to so far. */
const met = new Set<string>()

/**
 * Applies a transaction to a ledger; whatever comes of it, both can be written, and nothing is
 * lost.
 */
function applyTo(ledger: Ledger, one: Transaction): void {
  const before = appHash(ledger)
  const outcome = applyTransaction(ledger, one, block, network.environment)
  assert.equal(appHash(ledger), before)
  const name = outcome.ok ? `${one.kind}: taken` : `${one.kind}: ${outcome.reason}`
  met.add(name)
  if (!outcome.ok) return
  assert.match(appHash(outcome.ledger), /^0x[0-9a-f]{64}$/)
  assert.equal(totalWei(outcome.ledger), outcome.ledger.chain.supply)
}

test('fuzz: no transaction that can be written throws, whatever the ledger is in the middle of', () => {
  fc.assert(
    fc.property(fc.constantFrom(...states), transaction, ([, ledger], one) => {
      const decoded = tryDecodeTransaction(encodeTransaction(one))
      assert(decoded)
      applyTo(ledger, decoded)
    }),
    { numRuns: 2_000 },
  )
})

test('fuzz: a history of L1 that two thirds vouch for throws nowhere either', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...states),
      fc.array(l1Event, { maxLength: 4 }),
      ([, ledger], events) => {
        const lying = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
        lying.ledger = ledger
        const view = viewOf(lying, events)
        const operators = [1, 2, 3, 4].reduce((table, id) => {
          const one = table.get(String(id)) ?? assert.fail()
          return table.set(String(id), { ...one, view: view.view })
        }, ledger.operators)
        applyTo({ ...ledger, operators }, { kind: 'l1-events', events })
      },
    ),
    { numRuns: 250 },
  )
})

test('fuzz: bytes with a few faults are refused or are a transaction like any other', () => {
  const fault = fc.tuple(fc.nat(), fc.nat(255))
  fc.assert(
    fc.property(
      fc.constantFrom(...states),
      transaction,
      fc.array(fault, { minLength: 1, maxLength: 3 }),
      ([, ledger], one, faults) => {
        const spoiled = encodeTransaction(one)
        for (const [at, byte] of faults) spoiled[at % spoiled.length] = byte
        const decoded = tryDecodeTransaction(spoiled)
        if (decoded) applyTo(ledger, decoded)
      },
    ),
    { numRuns: 1_000 },
  )
})

test('fuzz: bytes of any kind never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (any) => {
      const decoded = tryDecodeTransaction(any)
      if (decoded) applyTo(network.ledger, decoded)
    }),
    { numRuns: 2_000 },
  )
})

test('fuzz: transactions were taken, and refused for many reasons', () => {
  for (const kind of ['report', 'task', 'l1-events', 'call'])
    assert(met.has(`${kind}: taken`), kind)
  assert(met.size > 20, [...met].sort().join(', '))
})
