import {
  bytesToBigint,
  DomainError,
  equalBytes,
  fromHex,
  fromUtf8,
  type Hex,
  integerBytes,
  keccak256,
  rlpBytes,
  rlpInteger,
  rlpList,
  toHex,
  utf8,
} from '#primitives'
import {
  emptyBloom,
  emptyRequestsHash,
  emptyRoot,
  type Header,
  headerHash,
  zeroHash,
} from './header.ts'
import { systemContractCodes } from './system-contracts.ts'
import { emptyTrieRoot, type NodeSink, type Trie, triePut, trieRoot } from './trie.ts'

/** Forks that the sequencer can run from its first block on. */
export const hardforks = ['prague', 'osaka'] as const
export type Hardfork = (typeof hardforks)[number]

/** The L2 chain's fixed rules, from its genesis. */
export type L2Parameters = {
  readonly chainId: number
  readonly hardfork: Hardfork
  /** Who gets the priority fees. The base fee is burnt. */
  readonly feeRecipient: Hex
  /** Whether timestamps rise by at least 1 s a block, as geth needs it. */
  readonly risingTimestamps: boolean
}

/** The first block, the rules, and the accounts that it starts with. */
export type L2Genesis = {
  readonly parameters: L2Parameters
  readonly header: Header
  readonly hash: Hex
  readonly accounts: readonly GenesisAccount[]
}

type GenesisAccount = {
  readonly address: Hex
  readonly balance: bigint
  readonly nonce: bigint
  readonly code: Uint8Array
  readonly storage: readonly (readonly [slot: Uint8Array, value: Uint8Array])[]
}

/** Where the nodes and codes of the first state go. */
export type GenesisSink = { node: NodeSink; code: (hash: Uint8Array, code: Uint8Array) => void }

/** keccak-256 of nothing: code hash of an account without code. */
export const emptyCodeHash = keccak256(new Uint8Array(0))

/**
 * The genesis of bytes: UTF-8 JSON in geth's genesis format, so that other clients start from the
 * same file. `coinbase` receives the fees; `config.nodeop.risingTimestamps` is our only addition.
 *
 * @param sink - receives state nodes and codes, for an engine that is about to store them.
 * @throws L2GenesisError naming the field, its value and what is allowed.
 */
export function readL2Genesis(bytes: Uint8Array, sink?: GenesisSink): L2Genesis {
  const document = parse(bytes)
  const config = object(document, 'config')
  const parameters: L2Parameters = {
    chainId: integer(config, 'chainId', 1),
    hardfork: hardforkOf(config),
    feeRecipient: hex(document, 'coinbase', 20),
    risingTimestamps: config.nodeop !== undefined && flag(object(config, 'nodeop')),
  }
  const accounts = accountsOf(object(document, 'alloc'))
  const header: Header = {
    parentHash: zeroHash,
    feeRecipient: parameters.feeRecipient,
    stateRoot: toHex(stateRootOf(accounts, sink)),
    transactionsRoot: emptyRoot,
    receiptsRoot: emptyRoot,
    logsBloom: emptyBloom,
    number: 0,
    gasLimit: integer(document, 'gasLimit', 1_000_000),
    gasUsed: 0,
    timestamp: integer(document, 'timestamp', 0),
    extraData: hex(document, 'extraData', undefined),
    prevRandao: hex(document, 'mixHash', 32),
    baseFeePerGas: quantity(document, 'baseFeePerGas'),
    parentBeaconBlockRoot: zeroHash,
    requestsHash: emptyRequestsHash,
  }
  return { parameters, header, hash: headerHash(header), accounts }
}

/** What a new L2 chain needs to be told; the rest is fixed. */
export type NewL2Chain = {
  readonly chainId: number
  readonly timestamp: number
  readonly feeRecipient: Hex
  /** Starting balances in wei. */
  readonly balances: readonly (readonly [address: Hex, wei: bigint])[]
  readonly gasLimit?: number
  readonly baseFeePerGas?: bigint
  readonly hardfork?: Hardfork
  readonly risingTimestamps?: boolean
}

/** Genesis bytes of a new chain: every fork from block 0, the four system contracts in place. */
export function writeL2Genesis(chain: NewL2Chain): Uint8Array {
  const osaka = (chain.hardfork ?? 'osaka') === 'osaka'
  const schedule = { target: 6, max: 9, baseFeeUpdateFraction: 5007716 }
  const alloc = [
    ...[...systemContractCodes].map(([address, code]) => [
      address,
      { balance: '0x0', nonce: '0x1', code },
    ]),
    ...chain.balances.map(([address, wei]) => [address, { balance: hexQuantity(wei) }]),
  ]
  const document = {
    config: {
      chainId: chain.chainId,
      ...Object.fromEntries(blockForks.map((name) => [name, 0])),
      terminalTotalDifficulty: 0,
      shanghaiTime: 0,
      cancunTime: 0,
      pragueTime: 0,
      ...(osaka ? { osakaTime: 0 } : {}),
      blobSchedule: {
        cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3338477 },
        prague: schedule,
        ...(osaka ? { osaka: schedule } : {}),
      },
      nodeop: { risingTimestamps: chain.risingTimestamps ?? false },
    },
    nonce: '0x0',
    timestamp: hexQuantity(BigInt(chain.timestamp)),
    extraData: '0x',
    gasLimit: hexQuantity(BigInt(chain.gasLimit ?? defaultGasLimit)),
    difficulty: '0x0',
    mixHash: zeroHash,
    coinbase: chain.feeRecipient,
    baseFeePerGas: hexQuantity(chain.baseFeePerGas ?? defaultBaseFee),
    alloc: Object.fromEntries(alloc),
  }
  return utf8(JSON.stringify(document))
}

/** Gas of a block: what Ethereum had for years, and what one core can execute in a second. */
const defaultGasLimit = 30_000_000
/** 1 gwei, in wei. */
const defaultBaseFee = 1_000_000_000n

const blockForks = [
  'homesteadBlock',
  'eip150Block',
  'eip155Block',
  'eip158Block',
  'byzantiumBlock',
  'constantinopleBlock',
  'petersburgBlock',
  'istanbulBlock',
  'berlinBlock',
  'londonBlock',
  'mergeNetsplitBlock',
]

const hexQuantity = (value: bigint): Hex => `0x${value.toString(16)}`

/** RLP of an account as the state trie holds it. */
export const encodeAccount = (
  nonce: bigint,
  balance: bigint,
  storageRoot: Uint8Array,
  codeHash: Uint8Array,
): Uint8Array =>
  rlpList([rlpInteger(nonce), rlpInteger(balance), rlpBytes(storageRoot), rlpBytes(codeHash)])

function stateRootOf(accounts: readonly GenesisAccount[], sink?: GenesisSink): Uint8Array {
  const nothing = () => undefined
  let state: Trie
  for (const account of accounts) {
    let storage: Trie
    for (const [slot, value] of account.storage)
      storage = triePut(storage, keccak256(slot), rlpBytes(value), nothing)
    const codeHash = account.code.length === 0 ? emptyCodeHash : keccak256(account.code)
    if (account.code.length > 0) sink?.code(codeHash, account.code)
    const root = storage ? trieRoot(storage, sink?.node) : emptyTrieRoot
    const encoded = encodeAccount(account.nonce, account.balance, root, codeHash)
    state = triePut(state, keccak256(fromHex(account.address)), encoded, nothing)
  }
  return trieRoot(state, sink?.node)
}

function accountsOf(alloc: Fields): GenesisAccount[] {
  return Object.keys(alloc)
    .sort()
    .map((name) => {
      const fields = object(alloc, name)
      return {
        address: hex({ address: name.startsWith('0x') ? name : `0x${name}` }, 'address', 20),
        balance: quantity(fields, 'balance'),
        nonce: fields.nonce === undefined ? 0n : quantity(fields, 'nonce'),
        code:
          fields.code === undefined ? new Uint8Array(0) : fromHex(hex(fields, 'code', undefined)),
        storage: fields.storage === undefined ? [] : slotsOf(object(fields, 'storage')),
      }
    })
}

const slotsOf = (storage: Fields): (readonly [Uint8Array, Uint8Array])[] =>
  Object.keys(storage)
    .sort()
    .map((slot): readonly [Uint8Array, Uint8Array] => [
      fromHex(hex({ slot }, 'slot', 32), 32),
      integerBytes(bytesToBigint(fromHex(hex(storage, slot, 32), 32))),
    ])
    .filter(([, value]) => !equalBytes(value, new Uint8Array(0)))

type Fields = Readonly<Record<string, unknown>>

function parse(bytes: Uint8Array): Fields {
  try {
    return JSON.parse(fromUtf8(bytes)) as Fields
  } catch (cause) {
    const details = { field: 'genesis', value: `${bytes.length} bytes`, allowed: 'UTF-8 JSON' }
    throw new L2GenesisError('the L2 genesis is no JSON', details, cause)
  }
}

function refuse(field: string, value: unknown, allowed: string): never {
  const shown = String(value)
  throw new L2GenesisError(`L2 genesis: ${field} is ${shown}; allowed: ${allowed}`, {
    field,
    value: shown,
    allowed,
  })
}

function object(fields: Fields, name: string): Fields {
  const value = fields[name]
  if (typeof value !== 'object' || value === null) return refuse(name, value, 'an object')
  return value as Fields
}

function hardforkOf(config: Fields): Hardfork {
  if (config.osakaTime === 0) return 'osaka'
  if (config.pragueTime === 0 && config.osakaTime === undefined) return 'prague'
  return refuse('config.pragueTime', config.pragueTime, 'pragueTime 0, osakaTime 0 or absent')
}

function flag(fields: Fields): boolean {
  const value = fields.risingTimestamps ?? false
  if (typeof value !== 'boolean')
    return refuse('config.nodeop.risingTimestamps', value, 'true, false')
  return value
}

function quantity(fields: Fields, name: string): bigint {
  const value = fields[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
  if (typeof value === 'string' && /^(0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$/.test(value))
    return BigInt(value)
  return refuse(name, value, 'an integer of at most 256 bits')
}

function integer(fields: Fields, name: string, least: number): number {
  const value = quantity(fields, name)
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(least))
    return refuse(name, value, `${least} to 2^53 - 1`)
  return Number(value)
}

function hex(fields: Fields, name: string, length: number | undefined): Hex {
  const value = fields[name]
  const isHex = typeof value === 'string' && /^0x([0-9a-fA-F]{2})*$/.test(value)
  if (!isHex || (length !== undefined && value.length !== 2 + 2 * length))
    return refuse(name, value, length === undefined ? 'hex' : `hex of ${length} bytes`)
  return value.toLowerCase() as Hex
}

/** An L2 genesis that cannot be used. */
export class L2GenesisError extends DomainError<
  'BadL2Genesis',
  { field: string; value: string; allowed: string }
> {
  override readonly code = 'BadL2Genesis'
}
