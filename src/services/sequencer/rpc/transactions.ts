import { keccak256Hex } from '#primitives'
import { checkSize } from '../state/check.ts'
import { RpcFailure } from './failure.ts'
import { formatReceipts, formatTransaction, storedTransaction } from './format.ts'
import { dataAt, hashAt } from './parameters.ts'
import type { RpcMethod, RpcParts } from './parts.ts'

/** Methods that send and find transactions. */
export const transactionMethods = ({
  engine,
  pool,
  submit,
}: RpcParts): Record<string, RpcMethod> => ({
  eth_sendRawTransaction: async (params) => {
    const raw = dataAt(params, 0, 'transaction')
    const verdict = checkSize(raw) ?? (await submit(raw))
    if (verdict.ok) return keccak256Hex(raw)
    const { reason, detail } = verdict
    throw new RpcFailure('TransactionRefused', detail ?? reason, { reason })
  },
  eth_getTransactionByHash: async (params) => {
    const hash = hashAt(params, 0)
    const stored = await engine.transaction(hash)
    if (stored) return formatTransaction(storedTransaction(stored.raw), stored.from, stored)
    const waiting = pool.get(hash)
    return waiting ? formatTransaction(waiting.transaction, waiting.from, undefined) : null
  },
  eth_getTransactionReceipt: async (params) => {
    const stored = await engine.transaction(hashAt(params, 0))
    if (!stored) return null
    const { hash } = stored.block
    const block = await engine.block({ by: 'hash', hash })
    const receipts = await engine.receipts(hash)
    return block && receipts ? (formatReceipts(block, receipts)[stored.index] ?? null) : null
  },
})
