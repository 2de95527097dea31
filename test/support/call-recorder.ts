import assert from 'node:assert/strict'
import type { Call } from '#consensus'
import type { Application, DecidedBlock, ExecutedBlock } from '#records'

/** A block that was finalized, and what came of it. */
export type Executed = ExecutedBlock & { readonly block: DecidedBlock }

/** What an engine has called so far, in order. Whoever starts it adds its starts to `calls`. */
export type CallLog = { readonly calls: Call[]; readonly executed: Executed[] }

export const emptyLog = (): CallLog => ({ calls: [], executed: [] })

/** An application that does the same and notes each call. Calls that overlap fail. */
export function recordCalls(application: Application, log: CallLog): Application {
  let running: Call | undefined
  const alone = async <Result>(call: Call, run: () => Promise<Result>): Promise<Result> => {
    assert.equal(running, undefined, `${call.call} while another call is under way`)
    running = call
    log.calls.push(call)
    try {
      return await run()
    } finally {
      running = undefined
    }
  }
  return {
    info: () => application.info(),
    consensusKeys: () => application.consensusKeys(),
    checkTransaction: (bytes) => application.checkTransaction(bytes),
    holdsTransaction: (bytes) => application.holdsTransaction(bytes),
    workDueMs: () => application.workDueMs(),
    initChain: () => alone({ call: 'initChain' }, () => application.initChain()),
    prepareProposal: (input) =>
      alone({ call: 'prepareProposal', height: input.height }, () =>
        application.prepareProposal(input),
      ),
    processProposal: (block) =>
      alone({ call: 'processProposal', height: block.height }, () =>
        application.processProposal(block),
      ),
    finalizeBlock: (block) =>
      alone({ call: 'finalizeBlock', height: block.height }, async () => {
        const executed = await application.finalizeBlock(block)
        log.executed.push({ block, ...executed })
        return executed
      }),
    commit: () => alone({ call: 'commit' }, () => application.commit()),
  }
}
