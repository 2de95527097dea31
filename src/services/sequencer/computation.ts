import type { Engine } from './engine/types.ts'
import { decodeInput, encodeOutput } from './state/computation.ts'

/**
 * The sequencer's computation: from the input that the ledger fixed in `begin` to the output that
 * its `end` takes. The engine's state is durable when it resolves; doing it twice does no harm.
 */
export const sequencerComputation =
  (engine: Engine) =>
  async (input: Uint8Array): Promise<Uint8Array> => {
    const { height, context, transactions } = decodeInput(input)
    const { block, dropped } = await engine.execute(height, context, transactions)
    return encodeOutput({ offered: transactions.length, block, dropped })
  }
