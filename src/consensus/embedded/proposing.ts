import {
  maxBlockBytes,
  maxBlockTransactions,
  type Origin,
  type SealedBlock,
  sealBlock,
  validatorsHash,
} from './block.ts'
import { evidenceForBlock } from './evidence.ts'
import { type Runtime, workingHeight } from './runtime.ts'

/** How far a block's time may be ahead of a validator's clock before it prevotes nil. */
export const maxAheadMs = 5000

/** Makes this validator's block for the current height: what the application wants in it. */
export async function makeBlock(runtime: Runtime): Promise<SealedBlock> {
  const { clock } = runtime.options
  const origin = nextOrigin(runtime, Math.max(clock.nowMs(), runtime.tip.timeMs + 1))
  const { height, timeMs } = origin
  const transactions = fitting(runtime, await wantedBy(runtime, height, timeMs))
  const { commit: lastCommit } = runtime.tip
  return sealBlock(origin, { lastCommit, transactions, misbehaviour: evidenceForBlock(runtime) })
}

const nextOrigin = (runtime: Runtime, timeMs: number): Origin => ({
  height: workingHeight(runtime),
  timeMs,
  proposer: runtime.self,
  parent: runtime.tip.hash,
  appHash: runtime.tip.appHash,
  validatorsHash: validatorsHash(runtime.tip.schedule.current),
})

/** An application that cannot say what it wants costs its transactions a turn, not the block. */
async function wantedBy(runtime: Runtime, height: number, timeMs: number) {
  const { application, logger } = runtime.options
  try {
    return await application.prepareProposal({ height, timeMs, maxBytes: maxBlockBytes })
  } catch (error) {
    logger.error('application failed to prepare a proposal', { error, height })
    return []
  }
}

/** The longest prefix within the bound: an application that overshoots must not cost the turn. */
function fitting(runtime: Runtime, wanted: readonly Uint8Array[]): readonly Uint8Array[] {
  let bytes = 0
  const first = wanted.findIndex((transaction) => {
    bytes += transaction.length
    return bytes > maxBlockBytes
  })
  const fits = wanted.slice(0, Math.min(first < 0 ? wanted.length : first, maxBlockTransactions))
  if (fits.length < wanted.length)
    runtime.options.logger.error('application proposed more than a block holds', {
      height: workingHeight(runtime),
      wanted: wanted.length,
      taken: fits.length,
    })
  return fits
}
