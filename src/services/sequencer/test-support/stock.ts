import assert from 'node:assert/strict'
import { type Block, createBlock } from '@ethereumjs/block'
import { type Common, createCommonFromGethGenesis, type GethGenesis } from '@ethereumjs/common'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { createTxFromRLP } from '@ethereumjs/tx'
import { bytesToHex } from '@ethereumjs/util'
import { createVM, runBlock, type VM } from '@ethereumjs/vm'
import type { Engine } from '../engine/types.ts'

/** A plain @ethereumjs/vm with nothing of ours: default state manager, default recovery. */
export type StockVm = {
  readonly vm: VM
  readonly common: Common
  readonly blocks: Map<bigint, Block>
}

export async function createStockVm(genesis: Uint8Array): Promise<StockVm> {
  const document = JSON.parse(new TextDecoder().decode(genesis))
  const common = createCommonFromGethGenesis(document as GethGenesis, { chain: 'stock' })
  common.setHardforkBy({ blockNumber: 0n, timestamp: BigInt(document.timestamp) })
  const stateManager = new MerkleStateManager({ common })
  await stateManager.generateCanonicalGenesis(stockState(document.alloc))
  const blocks = new Map<bigint, Block>()
  const blockchain = {
    getBlock: async (number: number) => blocks.get(BigInt(number)) as Block,
    putBlock: async () => {},
    shallowCopy: () => blockchain,
  }
  return { vm: await createVM({ common, stateManager, blockchain }), common, blocks }
}

type Alloc = Record<string, { balance: string; nonce?: string; code?: string }>

const stockState = (alloc: Alloc) =>
  Object.fromEntries(
    Object.entries(alloc).map(([address, { balance, code, nonce }]) => [
      address,
      [balance, code ?? '0x', [], nonce ?? '0x0'],
    ]),
  )

/** Runs a block of ours there: it checks every root, the bloom, the gas and the requests itself. */
export async function replay(stock: StockVm, engine: Engine, number: number): Promise<void> {
  const stored = await engine.block({ by: 'number', number })
  assert.ok(stored)
  const { header } = stored
  const block = createBlock(
    {
      header: {
        ...header,
        coinbase: header.feeRecipient,
        mixHash: header.prevRandao,
        transactionsTrie: header.transactionsRoot,
        receiptTrie: header.receiptsRoot,
        difficulty: 0,
        blobGasUsed: 0,
        excessBlobGas: 0,
      },
      transactions: stored.transactions.map((raw) => createTxFromRLP(raw, stock)),
      withdrawals: [],
    },
    stock,
  )
  assert.equal(bytesToHex(block.hash()), stored.hash)
  stock.blocks.set(block.header.number, block)
  if (number === 0) return assert.equal(await rootOf(stock), header.stateRoot)
  const result = await runBlock(stock.vm, { block, skipHeaderValidation: true })
  assert.equal(bytesToHex(result.stateRoot), header.stateRoot)
}

const rootOf = async ({ vm }: StockVm): Promise<string> =>
  bytesToHex(await vm.stateManager.getStateRoot())
