import { join } from 'node:path'
import {
  createEnvironment,
  LedgerApplication,
  l2File,
  Mempool,
  openLedgerKeeper,
  recover,
} from '#node'
import { assert, type Disk } from '#primitives'
import { serviceState } from '#protocol'
import type { Genesis } from '#records'
import {
  createEngine,
  l2Head,
  openSqliteStore,
  sequencerComputation,
  sequencerSpec,
} from '#services/sequencer'
import { silentLogger } from '../support/manual-clock.ts'

/** An operator's application on a disk that outlives it. */
export type ReplayingOperator = {
  readonly application: LedgerApplication
  /** Ends it, as the end of its process does: nothing is written any more. */
  close(): Promise<void>
}

/**
 * What of an operator executes blocks and keeps what comes of them, as `wire.ts` puts it together:
 * the ledger, its file and the L2's. Two things differ: it has no keys, so that it proposes
 * nothing, and its L2 needs no thread, which takes longer to start than all else here.
 *
 * @param options.folder - of the databases; exists.
 */
export async function openOperator({
  genesis,
  folder,
  disk,
}: {
  readonly genesis: Genesis
  readonly folder: string
  readonly disk: Pick<Disk, 'commit'>
}): Promise<ReplayingOperator> {
  const environment = createEnvironment(genesis)
  const l2 = await openL2(genesis, folder)
  const compute = sequencerComputation(l2)
  const nowMs = () => genesis.timeMs
  try {
    const keeper = await openLedgerKeeper({
      ...{ folder, disk, genesis, environment, operator: 1, logger: silentLogger },
      hasServices: async ({ ledger }) => {
        const { hash } = l2Head(serviceState(ledger, sequencerSpec.name))
        return (await l2.block({ by: 'hash', hash })) !== undefined
      },
    })
    const application = new LedgerApplication({
      ...{ genesis, environment, nowMs, logger: silentLogger, stored: keeper.stored },
      compute: ({ input }) => disk.commit(l2File, () => compute(input)),
      mempool: new Mempool({ environment, pools: new Map(), nowMs, onDropped: () => {} }),
      prove: () => {
        throw new Error('an operator without keys proposes nothing')
      },
      keep: (committed) => keeper.keep(committed, undefined),
    })
    const close = async () => {
      keeper.close()
      await l2.close()
    }
    return { application, close }
  } catch (error) {
    await l2.close()
    throw error
  }
}

async function openL2(genesis: Genesis, folder: string) {
  const state = genesis.services.find(({ spec }) => spec.name === sequencerSpec.name)?.state
  assert(state, 'the network has a sequencer')
  const store = openSqliteStore({ file: join(folder, l2File), durable: true })
  return createEngine({ genesis: state, store, recover })
}
