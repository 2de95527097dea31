import {
  addressOfSecret,
  generateSecrets,
  identityOf,
  type OperatorIdentity,
  type OperatorSecrets,
} from '#node'
import { concatBytes, type Hex, keccak256, type Rng, toHex, utf8, wei } from '#primitives'
import {
  type Genesis,
  type GenesisOperator,
  type OperatorId,
  type OutboxDomain,
  possessionMessage,
} from '#records'
import { priceSpec } from '#services/price'
import { sequencerSpec, writeL2Genesis } from '#services/sequencer'
import { groupKeyForL1, type KeyPackage, signatureForL1, signTogether } from '#threshold'
import { generateGroupKey } from './ceremony.ts'
import type { Deployment } from './deploy.ts'

/** One operator of a devnet with everything that is its own. */
export type DevnetOperator = {
  readonly id: OperatorId
  readonly name: string
  readonly secrets: OperatorSecrets
  readonly identity: OperatorIdentity
  readonly key: KeyPackage
}

/** The one of these operators with this id. */
export function memberOf(members: readonly DevnetOperator[], id: OperatorId): DevnetOperator {
  const member = members.find((one) => one.id === id)
  if (!member) throw new Error(`defect: no operator ${id}`)
  return member
}

/** Accounts that the load generator sends from. */
export const loadSenders = 20

/** Chain id of every devnet's L2. */
export const l2ChainId = 20_260
/** Each funded account starts with so many wei, on L2 and for fees. */
const fundedWei = 10_000n * 10n ** 18n
const feeAccountWei = wei(100n * 10n ** 18n)

/** Operators with fresh keys, and one group key that they generated together. */
export function createOperators(count: number, rng: Rng): readonly DevnetOperator[] {
  const ids = Array.from({ length: count }, (_, i) => i + 1)
  const keys = generateGroupKey(ids, rng)
  return keys.map((key) => {
    const secrets = generateSecrets(rng)
    return {
      id: key.operator,
      name: `operator-${key.operator}`,
      secrets,
      identity: identityOf(secrets),
      key,
    }
  })
}

/**
 * The group key and the proof that the operators hold it, as the Outbox's constructor takes them.
 */
export function possessionOf(operators: readonly DevnetOperator[], rng: Rng) {
  const keys = operators.map(({ key }) => key)
  const [first] = keys
  if (!first) throw new Error('defect: a network has operators')
  const { px, parity } = groupKeyForL1(first.groupKey)
  const prove = async (domain: OutboxDomain) =>
    signatureForL1(signTogether(keys.slice(0, first.threshold), possessionMessage(domain), rng))
  return { groupKey: { px, parity }, prove }
}

/** What all operators of a devnet start from. */
export function createGenesis(options: {
  readonly operators: readonly DevnetOperator[]
  readonly deployment: Deployment
  readonly l1ChainId: number
  readonly timeMs: number
  /** Secrets of accounts that hold money on L2 and for fees. */
  readonly funded: readonly Uint8Array[]
  /** Governed parameters that differ from their defaults. */
  readonly parameters: Genesis['parameters']
}): Genesis {
  const { operators, deployment, l1ChainId, timeMs } = options
  const [first] = operators
  if (!first) throw new Error('defect: a network has operators')
  const funded = options.funded.map(addressOfSecret)
  return {
    name: 'devnet',
    timeMs,
    l1ChainId,
    outbox: deployment.outbox,
    serviceManager: deployment.serviceManager,
    l1StartBlock: deployment.startBlock,
    groupKey: first.key.groupKey,
    threshold: first.key.threshold,
    operators: operators.map(toGenesisOperator),
    services: [
      { spec: { ...priceSpec, consumer: deployment.priceConsumer }, state: new Uint8Array() },
      { spec: sequencerSpec, state: l2Genesis(timeMs, funded) },
    ],
    accounts: funded.map((account) => ({ account, balance: feeAccountWei })),
    parameters: options.parameters,
  }
}

const l2Genesis = (timeMs: number, funded: readonly Hex[]): Uint8Array =>
  writeL2Genesis({
    chainId: l2ChainId,
    timestamp: Math.floor(timeMs / 1000),
    feeRecipient: toHex(keccak256(utf8('NodeOP devnet fees')).subarray(12)),
    balances: funded.map((account) => [account, fundedWei] as const),
  })

const toGenesisOperator = ({ id, name, identity, key }: DevnetOperator): GenesisOperator => ({
  id,
  name,
  power: 1n,
  capabilities: [],
  ...identity,
  verifyingShare: key.verifyingShare,
})

/**
 * Secrets of the load generator's senders: derived from a published phrase, so no secrets at all.
 *
 * @param count - how many.
 */
export const loadSecrets = (count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, i) =>
    keccak256(concatBytes(utf8('NodeOP devnet load sender'), new Uint8Array([i]))),
  )
