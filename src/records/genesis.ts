import { type Hex, sha256Hex, type Wei } from '#primitives'
import { type Capability, capabilitiesCodec } from './capability.ts'
import {
  address,
  byteList,
  type Codec,
  encode,
  fixedHex,
  hash32,
  list,
  record,
  text,
  uint16,
  uint64,
  uint256,
} from './codec.ts'
import type { OperatorId } from './operator.ts'
import { maxServices, type ServiceSpec, serviceSpecCodec } from './service.ts'

/** An operator as the genesis introduces it. */
export type GenesisOperator = {
  readonly id: OperatorId
  readonly name: string
  readonly power: bigint
  readonly ledgerAddress: Hex
  readonly consensusKey: Hex
  readonly vrfKey: Hex
  readonly l1Account: Hex
  readonly capabilities: readonly Capability[]
  readonly verifyingShare: Hex
}

/** Everything that all operators start from. Its hash is the network's id. */
export type Genesis = {
  readonly name: string
  readonly timeMs: number
  readonly l1ChainId: number
  readonly outbox: Hex
  readonly serviceManager: Hex
  /** L1 block from which events count. */
  readonly l1StartBlock: number
  /** Compressed point whose x coordinate and parity the Outbox holds, and signers needed. */
  readonly groupKey: Hex
  readonly threshold: number
  readonly operators: readonly GenesisOperator[]
  readonly services: readonly ServiceGenesis[]
  readonly accounts: readonly GenesisAccount[]
  /** Governed parameters that differ from their defaults. */
  readonly parameters: readonly GenesisParameter[]
}

/** A service and its own first state, in its own encoding (for the sequencer: the L2 genesis). */
export type ServiceGenesis = { readonly spec: ServiceSpec; readonly state: Uint8Array }
/** A ledger account for fees. */
export type GenesisAccount = { readonly account: Hex; readonly balance: Wei }
export type GenesisParameter = { readonly name: string; readonly value: bigint }

/** Most operators in a network, and accounts in its genesis. */
export const maxOperators = 200
const maxGenesisAccounts = 65_536
const maxServiceStateBytes = 1024 * 1024

export const genesisCodec: Codec<Genesis> = record({
  name: text(64),
  timeMs: uint64,
  l1ChainId: uint64,
  outbox: address,
  serviceManager: address,
  l1StartBlock: uint64,
  groupKey: fixedHex(33),
  threshold: uint16,
  operators: list<GenesisOperator>(
    record({
      id: uint16,
      name: text(64),
      power: uint256(),
      ledgerAddress: address,
      consensusKey: hash32,
      vrfKey: hash32,
      l1Account: address,
      capabilities: capabilitiesCodec,
      verifyingShare: fixedHex(33),
    }),
    maxOperators,
  ),
  services: list<ServiceGenesis>(
    record({ spec: serviceSpecCodec, state: byteList(maxServiceStateBytes) }),
    maxServices,
  ),
  accounts: list<GenesisAccount>(
    record({ account: address, balance: uint256<Wei>() }),
    maxGenesisAccounts,
  ),
  parameters: list<GenesisParameter>(record({ name: text(64), value: uint256() }), 256),
})

/**
 * SHA-256 of the genesis: in every signature, so that nothing of one network is valid in another.
 */
export const networkId = (genesis: Genesis): Hex => sha256Hex(encode(genesisCodec, genesis))
