import { type Hex, sha256, toHex, uint64Bytes, utf8, type Wei } from '#primitives'
import type { Genesis, GenesisOperator } from '#records'
import { thresholdFor, trustedDealer } from '#threshold'
import { idealCrypto } from './ideal-crypto.ts'
import type { Scenario } from './scenario.ts'
import { virtualService } from './virtual-service.ts'

/** When every run begins, in milliseconds since the epoch. */
export const startMs = 1_800_000_000_000

/** What one operator or client signs with. */
export type VirtualKeys = {
  readonly ledgerSecret: Uint8Array
  readonly vrfSecret: Uint8Array
  readonly address: Hex
  readonly consensusKey: Hex
}

/** Keys of an operator by its place, or of the one client. */
export function keysOf(who: string): VirtualKeys {
  const of = (kind: string) => sha256(utf8(`NodeOP simulation ${who} ${kind}`))
  const ledgerSecret = of('ledger')
  const address = idealCrypto.addressOf(ledgerSecret)
  return { ledgerSecret, vrfSecret: of('vrf'), address, consensusKey: toHex(of('consensus')) }
}

/** Keys of all operators, and of the client that pays for every task. */
export const operatorKeys = ({ operators }: Scenario): readonly VirtualKeys[] =>
  operators.map((_, place) => keysOf(`operator ${place}`))
export const clientKeys = (): VirtualKeys => keysOf('client')

/** More than all tasks of the longest run cost. */
const clientWei = (10n ** 40n) as Wei

/**
 * What the ledger of a run starts from, the same for every seed but the name. Operators have ids in
 * their order, from 1; those that join later are in it, and are taken out before the first block.
 */
export function virtualGenesis(scenario: Scenario, seed: number): Genesis {
  // Nobody signs, but a genesis names a key; a group has two members at least.
  const n = Math.max(2, scenario.operators.length)
  const shares = trustedDealer(n, thresholdFor(n), seededBytes('group'))
  const operators = operatorKeys(scenario).map((keys, place): GenesisOperator => {
    const { name, capabilities } = scenario.operators[place] as Scenario['operators'][number]
    const share = shares[place] as (typeof shares)[number]
    return {
      id: place + 1,
      name,
      power: 1n,
      ledgerAddress: keys.address,
      consensusKey: keys.consensusKey,
      vrfKey: idealCrypto.vrfKeyOf(keys.vrfSecret),
      l1Account: keys.address,
      capabilities,
      verifyingShare: share.verifyingShare,
    }
  })
  return {
    name: `simulation ${seed}`,
    timeMs: startMs,
    l1ChainId: 31_337,
    outbox: `0x${'aa'.repeat(20)}`,
    serviceManager: `0x${'bb'.repeat(20)}`,
    l1StartBlock: 1,
    groupKey: shares[0]?.groupKey ?? '0x',
    threshold: thresholdFor(scenario.operators.length),
    operators,
    services: scenario.services.map((service) => ({
      spec: virtualService(service).spec,
      state: new Uint8Array(),
    })),
    accounts: [{ account: clientKeys().address, balance: clientWei }],
    parameters: [
      ...scenario.parameters.map(({ name, value }) => ({ name, value: BigInt(value) })),
      { name: 'epochMs', value: BigInt(scenario.epochMs) },
    ],
  }
}

/** Bytes that follow from a name alone. */
function seededBytes(name: string): (length: number) => Uint8Array {
  let counter = 0
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 32)
      bytes.set(sha256(utf8(name), uint64Bytes(counter++)).subarray(0, length - at), at)
    return bytes
  }
}
