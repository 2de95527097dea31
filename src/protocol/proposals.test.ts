import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '#primitives'
import { proposalFault } from '#protocol'
import { encodeTransaction, type ProposedBlock, type Transaction } from '#records'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'

const zeros = toHex(new Uint8Array(32))

/** What is wrong with a block of these transactions by the next proposer. */
function judge(
  network: LedgerNetwork,
  transactions: readonly (Transaction | Uint8Array)[],
  changes: Partial<ProposedBlock> = {},
): string | undefined {
  const block = {
    height: network.height + 1,
    timeMs: network.timeMs + 200,
    proposer: network.operators[network.height % 4]?.consensusKey ?? '0x',
    transactions: transactions.map((one) =>
      one instanceof Uint8Array ? one : encodeTransaction(one),
    ),
    misbehaviour: [],
    ...changes,
  } as const
  return proposalFault(network.ledger, block, network.environment)
}

test('proposals: what an honest proposer puts together has no fault', () => {
  const network = new LedgerNetwork(4)
  const call = { kind: 'call', service: 'tally', payload: new Uint8Array([1]) } as const
  const events = { kind: 'l1-events', events: [] } as const
  const said = network.report(1, [])
  const all = [network.randomness(), said, events, network.task(), call]
  assert.equal(judge(network, []), undefined)
  assert.equal(judge(network, all), undefined)
  network.block([said])
  assert.equal(judge(network, [network.randomness(), said]), undefined, 'a matter of state')
})

test('proposals: bad bytes, signatures and places are faults', () => {
  const network = new LedgerNetwork(4)
  const randomness = network.randomness()
  const report = network.report(1, [])
  const task = network.task()
  const { signature } = network.report(2, [])
  const other = network.report(1, [], { network: zeros })
  const payload = new Uint8Array([1, 2])
  const faults: readonly (readonly [string, readonly (Transaction | Uint8Array)[]])[] = [
    ['NoRandomness', [report]],
    ['NoRandomness', [new Uint8Array([9])]],
    ['BadEncoding', [randomness, new Uint8Array([9, 9])]],
    ['Misplaced', [randomness, randomness]],
    ['BadSignature', [randomness, { ...report, signature }]],
    ['BadSignature', [randomness, { ...task, signature }]],
    ['WrongNetwork', [randomness, other]],
    ['UnknownOperator', [randomness, { ...report, report: { ...report.report, operator: 9 } }]],
    ['UnknownService', [randomness, { kind: 'call', service: 'byte', payload }]],
    ['BadPayload', [randomness, { kind: 'call', service: 'tally', payload }]],
  ]
  for (const [code, transactions] of faults) assert.equal(judge(network, transactions), code)
})

test('proposals: the randomness is the proposer’s, for this height', () => {
  const network = new LedgerNetwork(4)
  const randomness = network.randomness()
  const stranger = network.operators[1]?.consensusKey ?? '0x'
  assert.equal(judge(network, [randomness], { proposer: stranger }), 'BadRandomness')
  assert.equal(judge(network, [randomness], { proposer: zeros }), 'UnknownOperator')
  assert.equal(judge(network, [randomness], { height: 2 }), 'BadRandomness')
})
