import {
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  decodeRlp,
  type Hex,
  keccak256,
  RlpError,
  type RlpItem,
  rlpBytes,
  rlpInteger,
  rlpList,
  toHex,
} from '#primitives'

/** Types of transaction that the sequencer takes: EIP-155, 2930, 1559 and 7702. No blobs. */
export const transactionTypes = [0, 1, 2, 4] as const
export type TransactionType = (typeof transactionTypes)[number]

/** A signed Ethereum transaction, its fields canonical and its signature in range. */
export type EthereumTransaction = {
  readonly type: TransactionType
  readonly raw: Uint8Array
  readonly hash: Hex
  readonly chainId: bigint
  readonly nonce: bigint
  readonly gasLimit: bigint
  /** Most wei a gas unit; the gas price of types 0 and 1. */
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  /** Undefined creates a contract. */
  readonly to: Uint8Array | undefined
  readonly value: bigint
  readonly data: Uint8Array
  readonly accessList: readonly AccessListEntry[]
  readonly authorizations: readonly Authorization[]
  /** 32 bytes each. */
  readonly r: Uint8Array
  readonly s: Uint8Array
  readonly recovery: 0 | 1
  /** What the sender signed. */
  readonly signingHash: Uint8Array
}

/** An address and those of its slots that a transaction names (EIP-2930). */
export type AccessListEntry = { readonly address: Uint8Array; readonly keys: readonly Uint8Array[] }

/** EIP-7702: a delegation; whether its own signature holds is judged at execution. */
export type Authorization = {
  readonly chainId: bigint
  readonly address: Uint8Array
  readonly nonce: bigint
  readonly yParity: number
  readonly r: bigint
  readonly s: bigint
}

/** Why bytes are no transaction that could ever be included. */
export type DecodeReason =
  | 'MalformedTransaction'
  | 'UnsupportedTransactionType'
  | 'UnprotectedTransaction'
  | 'InvalidSignature'

/** A transaction, or why the bytes are none. */
export type Decoded =
  | { readonly ok: true; readonly transaction: EthereumTransaction }
  | { readonly ok: false; readonly reason: DecodeReason; readonly detail: string }

/**
 * Strict decoding: canonical RLP, exact field widths, signature in range with low s (EIP-2). The
 * sender is not recovered here: what passes can be given to any recovery library.
 */
export function decodeEthereumTransaction(raw: Uint8Array): Decoded {
  try {
    const first = raw[0]
    if (first === undefined) throw new Refusal('MalformedTransaction', 'no bytes')
    if (first >= 0xc0) return { ok: true, transaction: decodeLegacy(raw) }
    return { ok: true, transaction: decodeTyped(raw, first) }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.reason, detail: error.message }
    if (error instanceof RlpError)
      return { ok: false, reason: 'MalformedTransaction', detail: `rlp: ${error.message}` }
    throw error
  }
}

/** Leaves the decoder; never leaves this file. */
class Refusal extends Error {
  readonly reason: DecodeReason
  constructor(reason: DecodeReason, detail: string) {
    super(detail)
    this.reason = reason
  }
}

function decodeLegacy(raw: Uint8Array): EthereumTransaction {
  const fields = listOf(decodeRlp(raw), 9, 'transaction')
  const v = integer(fields[6], 8, 'v')
  if (v === 27n || v === 28n)
    throw new Refusal(
      'UnprotectedTransaction',
      'only replay-protected (EIP-155) transactions allowed over RPC',
    )
  if (v < 37n) throw new Refusal('InvalidSignature', 'invalid transaction v, r, s values')
  const chainId = (v - 35n) / 2n
  const gasPrice = integer(fields[1], 32, 'gasPrice')
  const unsigned = [...fields.slice(0, 6).map((item) => rlpBytes(bytesOf(item, 'field')))]
  const replay = [rlpInteger(chainId), rlpInteger(0), rlpInteger(0)]
  return {
    type: 0,
    raw,
    hash: toHex(keccak256(raw)),
    chainId,
    nonce: integer(fields[0], 8, 'nonce'),
    gasLimit: integer(fields[2], 8, 'gasLimit'),
    maxFeePerGas: gasPrice,
    maxPriorityFeePerGas: gasPrice,
    to: recipient(fields[3]),
    value: integer(fields[4], 32, 'value'),
    data: bytesOf(fields[5], 'data'),
    accessList: [],
    authorizations: [],
    ...signature(fields[7], fields[8], (v - 35n) % 2n),
    signingHash: keccak256(rlpList([...unsigned, ...replay])),
  }
}

/** Number of fields of each typed transaction, the signature included. */
const fieldsOfType: Readonly<Record<number, number>> = { 1: 11, 2: 12, 4: 13 }

function decodeTyped(raw: Uint8Array, type: number): EthereumTransaction {
  const count = fieldsOfType[type]
  if (count === undefined)
    throw new Refusal('UnsupportedTransactionType', `transaction type not supported: ${type}`)
  const fields = listOf(decodeRlp(raw.subarray(1)), count, 'transaction')
  // Type 1 has one gas price where the later types have tip and cap.
  const shift = type === 1 ? 0 : 1
  const at = (index: number): RlpItem => fields[index + shift] as RlpItem
  const tip = integer(fields[2], 32, type === 1 ? 'gasPrice' : 'maxPriorityFeePerGas')
  const to = recipient(at(4))
  const authorizations = type === 4 ? authorizationsOf(at(8)) : []
  if (type === 4 && (authorizations.length === 0 || !to))
    throw new Refusal('MalformedTransaction', 'EIP-7702 transaction without list or recipient')
  const recovery = integer(fields[count - 3], 1, 'yParity')
  const unsigned = fields.slice(0, count - 3).map(encodeItem)
  return {
    type: type as TransactionType,
    raw,
    hash: toHex(keccak256(raw)),
    chainId: integer(fields[0], 32, 'chainId'),
    nonce: integer(fields[1], 8, 'nonce'),
    gasLimit: integer(at(3), 8, 'gasLimit'),
    maxFeePerGas: shift === 0 ? tip : integer(fields[3], 32, 'maxFeePerGas'),
    maxPriorityFeePerGas: tip,
    to,
    value: integer(at(5), 32, 'value'),
    data: bytesOf(at(6), 'data'),
    accessList: accessListOf(at(7)),
    authorizations,
    ...signature(fields[count - 2], fields[count - 1], recovery),
    signingHash: keccak256(concatBytes(Uint8Array.of(type), rlpList(unsigned))),
  }
}

/** Order of the secp256k1 group. */
const groupOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** Whether r and s of a signature are in range, and s low if asked (EIP-2). */
export const isSignatureInRange = (r: bigint, s: bigint, lowS: boolean): boolean =>
  r > 0n && r < groupOrder && s > 0n && (lowS ? s <= groupOrder / 2n : s < groupOrder)

function signature(rItem: RlpItem | undefined, sItem: RlpItem | undefined, parity: bigint) {
  const r = integer(rItem, 32, 'r')
  const s = integer(sItem, 32, 's')
  if (!isSignatureInRange(r, s, true) || parity > 1n)
    throw new Refusal('InvalidSignature', 'invalid transaction v, r, s values')
  const recovery = parity === 0n ? (0 as const) : (1 as const)
  return { r: bigintToBytes(r, 32), s: bigintToBytes(s, 32), recovery }
}

function accessListOf(item: RlpItem): AccessListEntry[] {
  return listOf(item, undefined, 'accessList').map((entry) => {
    const [address, keys] = listOf(entry, 2, 'accessList entry')
    return {
      address: exactly(address, 20, 'accessList address'),
      keys: listOf(keys, undefined, 'storage keys').map((key) => exactly(key, 32, 'storage key')),
    }
  })
}

function authorizationsOf(item: RlpItem): Authorization[] {
  return listOf(item, undefined, 'authorizationList').map((entry) => {
    const [chainId, address, nonce, yParity, r, s] = listOf(entry, 6, 'authorization')
    return {
      chainId: integer(chainId, 32, 'authorization chainId'),
      address: exactly(address, 20, 'authorization address'),
      nonce: integer(nonce, 8, 'authorization nonce'),
      yParity: Number(integer(yParity, 1, 'authorization yParity')),
      r: integer(r, 32, 'authorization r'),
      s: integer(s, 32, 'authorization s'),
    }
  })
}

function listOf(item: RlpItem | undefined, length: number | undefined, name: string) {
  if (item === undefined || item instanceof Uint8Array)
    throw new Refusal('MalformedTransaction', `rlp: ${name} is no list`)
  if (length !== undefined && item.length !== length)
    throw new Refusal('MalformedTransaction', `rlp: ${name} has ${item.length} fields`)
  return item
}

function bytesOf(item: RlpItem | undefined, name: string): Uint8Array {
  if (!(item instanceof Uint8Array))
    throw new Refusal('MalformedTransaction', `rlp: ${name} is no byte string`)
  return item
}

function exactly(item: RlpItem | undefined, length: number, name: string): Uint8Array {
  const bytes = bytesOf(item, name)
  if (bytes.length !== length)
    throw new Refusal('MalformedTransaction', `rlp: ${name} has ${bytes.length} bytes`)
  return bytes
}

function recipient(item: RlpItem | undefined): Uint8Array | undefined {
  return bytesOf(item, 'to').length === 0 ? undefined : exactly(item, 20, 'to')
}

function integer(item: RlpItem | undefined, maxBytes: number, name: string): bigint {
  const bytes = bytesOf(item, name)
  if (bytes.length > maxBytes || bytes[0] === 0)
    throw new Refusal('MalformedTransaction', `rlp: ${name} is no integer of ${maxBytes} bytes`)
  return bytesToBigint(bytes)
}

const encodeItem = (item: RlpItem): Uint8Array =>
  item instanceof Uint8Array ? rlpBytes(item) : rlpList(item.map(encodeItem))
