import {
  assert,
  fromHex,
  type Hex,
  keccak256,
  rlpBytes,
  rlpInteger,
  rlpList,
  toHex,
} from '#primitives'
import type { BlockHead, FoundLog, StoredBlock, StoredReceipt } from '../engine/types.ts'
import {
  decodeEthereumTransaction,
  type EthereumTransaction,
} from '../state/ethereum-transaction.ts'
import { emptyOmmersHash, emptyRoot, type Header } from '../state/header.ts'

/** An integer as JSON-RPC writes it. */
export const quantity = (value: bigint | number): Hex => `0x${value.toString(16)}`

/** A stored transaction, decoded: it was valid when it was stored. */
export function storedTransaction(raw: Uint8Array): EthereumTransaction {
  const decoded = decodeEthereumTransaction(raw)
  assert(decoded.ok, 'blocks hold valid transactions')
  return decoded.transaction
}

/** A header's fields, without hash and transactions. */
export const headerFields = (header: Header) => ({
  number: quantity(header.number),
  parentHash: header.parentHash,
  sha3Uncles: emptyOmmersHash,
  logsBloom: header.logsBloom,
  transactionsRoot: header.transactionsRoot,
  stateRoot: header.stateRoot,
  receiptsRoot: header.receiptsRoot,
  miner: header.feeRecipient,
  difficulty: '0x0',
  extraData: header.extraData,
  gasLimit: quantity(header.gasLimit),
  gasUsed: quantity(header.gasUsed),
  timestamp: quantity(header.timestamp),
  mixHash: header.prevRandao,
  nonce: '0x0000000000000000',
  baseFeePerGas: quantity(header.baseFeePerGas),
  withdrawalsRoot: emptyRoot,
  blobGasUsed: '0x0',
  excessBlobGas: '0x0',
  parentBeaconBlockRoot: header.parentBeaconBlockRoot,
  requestsHash: header.requestsHash,
  uncles: [],
  withdrawals: [],
})

/** A block with its transactions, whole or as hashes. */
export function formatBlock(
  block: StoredBlock,
  receipts: readonly StoredReceipt[],
  isFull: boolean,
) {
  return {
    hash: block.hash,
    size: quantity(block.size),
    ...headerFields(block.header),
    transactions: isFull
      ? block.transactions.map((raw, index) =>
          formatTransaction(storedTransaction(raw), receipts[index]?.from as Hex, { block, index }),
        )
      : receipts.map(({ transactionHash }) => transactionHash),
  }
}

/** Where a transaction stands; undefined while it waits. */
export type Place = { readonly block: BlockHead; readonly index: number } | undefined

/** A transaction as `eth_getTransactionByHash` gives it. */
export function formatTransaction(transaction: EthereumTransaction, from: Hex, place: Place) {
  const header = place?.block.header
  return {
    blockHash: place?.block.hash ?? null,
    blockNumber: header ? quantity(header.number) : null,
    blockTimestamp: header ? quantity(header.timestamp) : null,
    transactionIndex: place ? quantity(place.index) : null,
    hash: transaction.hash,
    from,
    to: transaction.to ? toHex(transaction.to) : null,
    nonce: quantity(transaction.nonce),
    gas: quantity(transaction.gasLimit),
    gasPrice: quantity(
      header ? effectiveGasPrice(transaction, header.baseFeePerGas) : transaction.maxFeePerGas,
    ),
    value: quantity(transaction.value),
    input: toHex(transaction.data),
    chainId: quantity(transaction.chainId),
    type: quantity(transaction.type),
    ...signatureFields(transaction),
    ...typeFields(transaction),
  }
}

function signatureFields({ type, r, s, recovery, chainId }: EthereumTransaction) {
  const word = (bytes: Uint8Array): Hex => quantity(BigInt(toHex(bytes)))
  const common = { r: word(r), s: word(s) }
  if (type === 0) return { ...common, v: quantity(chainId * 2n + 35n + BigInt(recovery)) }
  return { ...common, v: quantity(recovery), yParity: quantity(recovery) }
}

function typeFields(transaction: EthereumTransaction) {
  const { type, accessList, authorizations } = transaction
  if (type === 0) return {}
  const list = {
    accessList: accessList.map(({ address, keys }) => ({
      address: toHex(address),
      storageKeys: keys.map(toHex),
    })),
  }
  if (type === 1) return list
  const fees = {
    ...list,
    maxFeePerGas: quantity(transaction.maxFeePerGas),
    maxPriorityFeePerGas: quantity(transaction.maxPriorityFeePerGas),
  }
  if (type === 2) return fees
  return {
    ...fees,
    authorizationList: authorizations.map(({ chainId, address, nonce, yParity, r, s }) => ({
      chainId: quantity(chainId),
      address: toHex(address),
      nonce: quantity(nonce),
      yParity: quantity(yParity),
      r: quantity(r),
      s: quantity(s),
    })),
  }
}

/** Wei a gas unit that the sender paid: base fee and tip, at most its cap (EIP-1559). */
export function effectiveGasPrice(
  { maxFeePerGas, maxPriorityFeePerGas }: EthereumTransaction,
  baseFee: bigint,
): bigint {
  const wanted = baseFee + maxPriorityFeePerGas
  return wanted < maxFeePerGas ? wanted : maxFeePerGas
}

/** All receipts of a block. */
export function formatReceipts(block: StoredBlock, receipts: readonly StoredReceipt[]) {
  let logIndex = 0
  return receipts.map((receipt, index) => {
    const raw = block.transactions[index]
    assert(raw, 'a receipt belongs to a transaction')
    const logs = receipt.logs.map((log) => {
      const { transactionHash } = receipt
      const found = { ...log, block, transactionHash, transactionIndex: index, logIndex }
      logIndex++
      return formatLog(found)
    })
    return { ...receiptFields(block, receipt, storedTransaction(raw), index), logs }
  })
}

function receiptFields(
  block: BlockHead,
  receipt: StoredReceipt,
  transaction: EthereumTransaction,
  index: number,
) {
  return {
    blockHash: block.hash,
    blockNumber: quantity(block.header.number),
    transactionHash: receipt.transactionHash,
    transactionIndex: quantity(index),
    from: receipt.from,
    to: transaction.to ? toHex(transaction.to) : null,
    contractAddress: transaction.to ? null : createdAddress(receipt.from, transaction.nonce),
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    gasUsed: quantity(receipt.gasUsed),
    effectiveGasPrice: quantity(effectiveGasPrice(transaction, block.header.baseFeePerGas)),
    logsBloom: receipt.logsBloom,
    status: receipt.succeeded ? '0x1' : '0x0',
    type: quantity(receipt.type),
  }
}

/** Address of the contract that a transaction creates. */
function createdAddress(from: Hex, nonce: bigint): Hex {
  return toHex(keccak256(rlpList([rlpBytes(fromHex(from)), rlpInteger(nonce)])).subarray(12))
}

/** A log and where it was emitted. */
export const formatLog = (log: FoundLog) => ({
  address: log.address,
  topics: log.topics,
  data: log.data,
  blockHash: log.block.hash,
  blockNumber: quantity(log.block.header.number),
  blockTimestamp: quantity(log.block.header.timestamp),
  transactionHash: log.transactionHash,
  transactionIndex: quantity(log.transactionIndex),
  logIndex: quantity(log.logIndex),
  removed: false,
})
