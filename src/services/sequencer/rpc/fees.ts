import type { Hex } from '#primitives'
import type { Engine, StoredBlock } from '../engine/types.ts'
import { nextBaseFee } from '../state/header.ts'
import { invalid } from './failure.ts'
import { effectiveGasPrice, quantity, storedTransaction } from './format.ts'
import { countAt, type Parameters, stateBlockAt } from './parameters.ts'
import type { RpcMethod, RpcParts } from './parts.ts'
import { known } from './state.ts'

/** Most blocks of one fee history, and percentiles of each. */
const maxHistory = 1024
const maxPercentiles = 100

/** The tip that is suggested: order is by arrival, so that more buys nothing. In wei. */
const suggestedTip = 1_000_000n

/** Methods that tell a client what to pay. */
export const feeMethods = ({ engine }: RpcParts): Record<string, RpcMethod> => ({
  eth_gasPrice: async () => quantity(nextBaseFee((await engine.head()).header) + suggestedTip),
  eth_maxPriorityFeePerGas: async () => quantity(suggestedTip),
  eth_blobBaseFee: async () => '0x1',
  eth_feeHistory: async (params) => feeHistory(engine, params),
})

async function feeHistory(engine: Engine, params: Parameters) {
  const wanted = Math.min(countAt(params, 0, 'blockCount'), maxHistory)
  const newest = known(await engine.block(stateBlockAt(params, 1)))
  const percentiles = percentilesAt(params, 2)
  const count = Math.min(wanted, newest.header.number + 1)
  const oldest = newest.header.number + 1 - count
  const blocks: StoredBlock[] = []
  for (let number = oldest; number < oldest + count; number++)
    blocks.push(known(await engine.block({ by: 'number', number })))
  const history = {
    oldestBlock: quantity(oldest),
    baseFeePerGas: [
      ...blocks.map(({ header }) => quantity(header.baseFeePerGas)),
      quantity(nextBaseFee(newest.header)),
    ],
    gasUsedRatio: blocks.map(({ header }) => header.gasUsed / header.gasLimit),
    baseFeePerBlobGas: Array.from({ length: count + 1 }, () => '0x1'),
    blobGasUsedRatio: blocks.map(() => 0),
  }
  if (!percentiles) return history
  return {
    ...history,
    reward: await Promise.all(blocks.map((block) => rewards(engine, block, percentiles))),
  }
}

function percentilesAt(params: Parameters, index: number): readonly number[] | undefined {
  const value = params[index]
  if (value === undefined || value === null) return undefined
  const isRising = (list: readonly unknown[]): list is readonly number[] =>
    list.every((entry, i) => {
      const before = i === 0 ? 0 : list[i - 1]
      return typeof entry === 'number' && entry >= (before as number) && entry <= 100
    })
  if (!Array.isArray(value) || value.length > maxPercentiles || !isRising(value))
    throw invalid(index, 'rewardPercentiles', 'rising numbers from 0 to 100, at most 100 of them')
  return value
}

/** The tip at each percentile of a block's gas. */
async function rewards(
  engine: Engine,
  block: StoredBlock,
  percentiles: readonly number[],
): Promise<readonly Hex[]> {
  const { baseFeePerGas, gasUsed } = block.header
  const receipts = (await engine.receipts(block.hash)) ?? []
  const tips = block.transactions
    .map((raw, index) => ({
      tip: effectiveGasPrice(storedTransaction(raw), baseFeePerGas) - baseFeePerGas,
      gas: receipts[index]?.gasUsed ?? 0,
    }))
    .sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0))
  return percentiles.map((percentile) => {
    let passed = 0
    const at = tips.find(({ gas }) => {
      passed += gas
      return passed >= (gasUsed * percentile) / 100
    })
    return quantity(at?.tip ?? 0n)
  })
}
