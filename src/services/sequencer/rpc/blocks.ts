import type { Hex } from '#primitives'
import type { BlockHead, BlockRef, StoredBlock, StoredReceipt } from '../engine/types.ts'
import { emptyBloom, emptyRoot, nextBaseFee, zeroHash } from '../state/header.ts'
import {
  formatBlock,
  formatReceipts,
  formatTransaction,
  headerFields,
  quantity,
  storedTransaction,
} from './format.ts'
import {
  type BlockChoice,
  blockAt,
  countAt,
  flagAt,
  hashAt,
  type Parameters,
} from './parameters.ts'
import type { RpcMethod, RpcParts } from './parts.ts'

type Whole = { readonly block: StoredBlock; readonly receipts: readonly StoredReceipt[] }

/** Methods on blocks. An unknown block is null, as with geth. */
export function blockMethods(parts: RpcParts): Record<string, RpcMethod> {
  const load = async (choice: BlockChoice): Promise<Whole | undefined> => {
    const ref: BlockRef = choice.by === 'pending' ? { by: 'latest' } : choice
    const block = await parts.engine.block(ref)
    const receipts = block && (await parts.engine.receipts(block.hash))
    return receipts && { block, receipts }
  }
  const byHash = (params: Parameters): BlockChoice => ({ by: 'hash', hash: hashAt(params, 0) })
  const byNumber = (params: Parameters): BlockChoice => blockAt(params, 0)
  const ask =
    <T>(
      choose: (params: Parameters) => BlockChoice,
      show: (whole: Whole, params: Parameters) => T,
    ) =>
    async (params: Parameters): Promise<T | null> => {
      const whole = await load(choose(params))
      return whole ? show(whole, params) : null
    }
  const asBlock = ({ block, receipts }: Whole, params: Parameters) =>
    formatBlock(block, receipts, flagAt(params, 1, 'fullTransactions'))
  const byNumberOrPending = ask(byNumber, asBlock)
  return {
    eth_blockNumber: async () => quantity((await parts.engine.head()).header.number),
    eth_getBlockByHash: ask(byHash, asBlock),
    eth_getBlockByNumber: async (params) =>
      byNumber(params).by === 'pending'
        ? pendingBlock(parts, flagAt(params, 1, 'fullTransactions'))
        : byNumberOrPending(params),
    eth_getBlockTransactionCountByHash: ask(byHash, countOf),
    eth_getBlockTransactionCountByNumber: ask(byNumber, countOf),
    eth_getBlockReceipts: ask(byNumber, ({ block, receipts }) => formatReceipts(block, receipts)),
    eth_getTransactionByBlockHashAndIndex: ask(byHash, transactionAt),
    eth_getTransactionByBlockNumberAndIndex: ask(byNumber, transactionAt),
  }
}

const countOf = ({ receipts }: Whole): Hex => quantity(receipts.length)

function transactionAt({ block, receipts }: Whole, params: Parameters) {
  const index = countAt(params, 1, 'index')
  const raw = block.transactions[index]
  const receipt = receipts[index]
  if (!raw || !receipt) return null
  return formatTransaction(storedTransaction(raw), receipt.from, { block, index })
}

/** The block that this operator would propose now; nothing of it is decided. */
async function pendingBlock({ engine, pool }: RpcParts, isFull: boolean) {
  const parent = await engine.head()
  const waiting = pool
    .take(pendingBytes, parent.header.gasLimit)
    .map((raw) => pool.get(storedTransaction(raw).hash))
    .filter((found) => found !== undefined)
  return {
    ...headerFields(headerAfter(parent)),
    hash: null,
    nonce: null,
    miner: null,
    logsBloom: null,
    size: '0x0',
    transactions: waiting.map(({ transaction, from }) =>
      isFull ? formatTransaction(transaction, from, undefined) : transaction.hash,
    ),
  }
}

/** Transactions shown in a pending block, in bytes. */
const pendingBytes = 1_000_000

const headerAfter = ({ hash, header }: BlockHead) => ({
  ...header,
  parentHash: hash,
  number: header.number + 1,
  stateRoot: zeroHash,
  transactionsRoot: emptyRoot,
  receiptsRoot: emptyRoot,
  logsBloom: emptyBloom,
  gasUsed: 0,
  baseFeePerGas: nextBaseFee(header),
})
