import {
  bytesToBigint,
  fromHex,
  type Hex,
  keccak256,
  type RlpItem,
  rlpBytes,
  rlpInteger,
  rlpList,
  toHex,
} from '#primitives'
import { emptyTrieRoot } from './trie.ts'

/** Header of an L2 block: an Ethereum header with every field of the Prague and Osaka forks. */
export type Header = {
  readonly parentHash: Hex
  readonly feeRecipient: Hex
  readonly stateRoot: Hex
  readonly transactionsRoot: Hex
  readonly receiptsRoot: Hex
  /** 256 bytes. */
  readonly logsBloom: Hex
  readonly number: number
  readonly gasLimit: number
  readonly gasUsed: number
  /** Seconds since the Unix epoch. */
  readonly timestamp: number
  readonly extraData: Hex
  readonly prevRandao: Hex
  readonly baseFeePerGas: bigint
  readonly parentBeaconBlockRoot: Hex
  readonly requestsHash: Hex
}

/** keccak-256(RLP([])): L2 blocks have no ommers. */
export const emptyOmmersHash: Hex = toHex(keccak256(Uint8Array.of(0xc0)))
/** SHA-256 of nothing: no execution requests (EIP-7685). */
export const emptyRequestsHash: Hex =
  '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
/** Root of no withdrawals, of no transactions, of no receipts. */
export const emptyRoot: Hex = toHex(emptyTrieRoot)
/** Bloom of no logs. */
export const emptyBloom: Hex = toHex(new Uint8Array(256))
export const zeroHash: Hex = toHex(new Uint8Array(32))

/** RLP of a header. Difficulty, nonce, ommers, withdrawals and blob gas are always empty. */
export const encodeHeader = (header: Header): Uint8Array =>
  rlpList([
    hexItem(header.parentHash),
    hexItem(emptyOmmersHash),
    hexItem(header.feeRecipient),
    hexItem(header.stateRoot),
    hexItem(header.transactionsRoot),
    hexItem(header.receiptsRoot),
    hexItem(header.logsBloom),
    rlpInteger(0), // difficulty
    rlpInteger(header.number),
    rlpInteger(header.gasLimit),
    rlpInteger(header.gasUsed),
    rlpInteger(header.timestamp),
    hexItem(header.extraData),
    hexItem(header.prevRandao),
    rlpBytes(new Uint8Array(8)), // nonce
    rlpInteger(header.baseFeePerGas),
    rlpBytes(emptyTrieRoot), // withdrawals
    rlpInteger(0), // blob gas used
    rlpInteger(0), // excess blob gas
    hexItem(header.parentBeaconBlockRoot),
    hexItem(header.requestsHash),
  ])

const hexItem = (hex: Hex): Uint8Array => rlpBytes(fromHex(hex))

/** keccak-256 of the RLP: the block's hash. */
export const headerHash = (header: Header): Hex => toHex(keccak256(encodeHeader(header)))

/** The header of its decoded RLP, which `encodeHeader` wrote: nothing is checked. */
export function headerOf(item: RlpItem): Header {
  const field = (index: number): Uint8Array => item[index] as Uint8Array
  const hex = (index: number): Hex => toHex(field(index))
  return {
    parentHash: hex(0),
    feeRecipient: hex(2),
    stateRoot: hex(3),
    transactionsRoot: hex(4),
    receiptsRoot: hex(5),
    logsBloom: hex(6),
    number: Number(bytesToBigint(field(8))),
    gasLimit: Number(bytesToBigint(field(9))),
    gasUsed: Number(bytesToBigint(field(10))),
    timestamp: Number(bytesToBigint(field(11))),
    extraData: hex(12),
    prevRandao: hex(13),
    baseFeePerGas: bytesToBigint(field(15)),
    parentBeaconBlockRoot: hex(19),
    requestsHash: hex(20),
  }
}

/**
 * The base fee of the block after `parent`: at most 1/8 up or down, towards half-full blocks.
 *
 * @see EIP-1559
 */
export function nextBaseFee(
  parent: Pick<Header, 'gasLimit' | 'gasUsed' | 'baseFeePerGas'>,
): bigint {
  const target = BigInt(parent.gasLimit) / elasticity
  const used = BigInt(parent.gasUsed)
  const fee = parent.baseFeePerGas
  if (used === target) return fee
  if (used < target) return fee - (fee * (target - used)) / target / baseFeeChange
  const rise = (fee * (used - target)) / target / baseFeeChange
  return fee + (rise > 1n ? rise : 1n)
}

const elasticity = 2n
const baseFeeChange = 8n
