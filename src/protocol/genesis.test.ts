import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex, Wei } from '#primitives'
import { appHash, GenesisError, genesisLedger, parameter } from '#protocol'
import { type Genesis, type GenesisOperator, maxUint256, type ServiceSpec } from '#records'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { environmentWith, LedgerNetwork } from '../../test/support/ledger-network.ts'
import { byteService } from '../../test/support/test-services.ts'

const { genesis } = new LedgerNetwork(4, {}, idealCrypto)
const environment = environmentWith(idealCrypto)
const start = (changes: Partial<Genesis>) => genesisLedger({ ...genesis, ...changes }, environment)

const withOperator = (place: number, changes: Partial<GenesisOperator>): Partial<Genesis> => ({
  operators: genesis.operators.map((one, i) => (i === place ? { ...one, ...changes } : one)),
})
const withService = (changes: Partial<ServiceSpec>): Partial<Genesis> => ({
  services: [{ spec: { ...byteService.spec, ...changes }, state: new Uint8Array() }],
})
const account = (name: Hex, balance: bigint) => ({ account: name, balance: balance as Wei })

test('genesis: ids need not begin at 1, nor be without gaps', () => {
  const operators = genesis.operators.map((one) => ({ ...one, id: one.id * 100 + 7 }))
  assert.equal(start({ operators }).operators.get('107')?.id, 107)
})

test('genesis: the same one gives the same ledger; another gives another', () => {
  assert.equal(appHash(start({})), appHash(start({})))
  assert.notEqual(appHash(start({ name: 'other' })), appHash(start({})))
})

test('genesis: parameters that it names are in force from the start', () => {
  assert.equal(parameter(start({ parameters: [{ name: 'windowS', value: 9n }] }), 'windowS'), 9)
})

test('genesis: what no network can run on is refused by the name of the field', () => {
  const [first, second] = genesis.operators
  assert(first && second)
  const client = genesis.accounts[0]?.account ?? '0x'
  const noPoint: Hex = `0x05${'11'.repeat(32)}`
  const refused: [Partial<Genesis>, RegExp][] = [
    [{ operators: [] }, /^operators/],
    [withOperator(1, { id: first.id }), /^operators\.id; .* 1 stands twice/],
    [withOperator(0, { id: 0 }), /^operators\.id 0/],
    [withOperator(1, { ledgerAddress: first.ledgerAddress }), /^operators\.ledgerAddress/],
    [withOperator(1, { consensusKey: first.consensusKey }), /^operators\.consensusKey/],
    [withOperator(1, { vrfKey: first.vrfKey }), /^operators\.vrfKey/],
    [withOperator(1, { verifyingShare: first.verifyingShare }), /^operators\.verifyingShare/],
    [withOperator(1, { verifyingShare: noPoint }), /^verifyingShare of 2/],
    [withOperator(1, { power: 0n }), /^operators\.power of 2/],
    [withOperator(1, { power: 2n ** 60n }), /^operators\.power; /],
    [{ threshold: 2 }, /^threshold/],
    [{ threshold: 5 }, /^threshold/],
    [{ groupKey: noPoint }, /^groupKey/],
    [{ accounts: [account(client, 1n), account(client, 1n)] }, /^accounts; /],
    [
      { accounts: [account(client, maxUint256), account(first.ledgerAddress, 1n)] },
      /^accounts\.balance/,
    ],
    [{ parameters: [{ name: 'nothing', value: 1n }] }, /^unknown parameter nothing/],
    [{ parameters: [{ name: 'windowS', value: 1n }] }, /^parameter windowS; allowed: 2 to 3600/],
    [{ parameters: Array(2).fill({ name: 'windowS', value: 5n }) }, /^parameters; /],
    [{ services: Array(2).fill(genesis.services[0]) }, /^services; /],
    [withService({ name: 'nothing' }), /^service nothing/],
    [withService({ name: 'a/b' }), /^service a\/b/],
    [withService({ mode: 'replicated' }), /^service byte/],
    [withService({ rule: 'replicated' }), /^service byte: rule/],
    [withService({ committee: 0 }), /^service byte: committee/],
    [withService({ committee: 201 }), /^service byte: committee/],
    [withService({ commitMs: 0 }), /^service byte: commitMs/],
    [withService({ toleranceBps: 10_001 }), /^service byte: toleranceBps/],
  ]
  for (const [changes, message] of refused)
    assert.throws(
      () => start(changes),
      (error) => error instanceof GenesisError && message.test(error.message),
      String(message),
    )
})
