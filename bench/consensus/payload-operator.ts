import { createSigner } from '#consensus'
import {
  createDisk,
  createEnvironment,
  createPassedCalls,
  LedgerApplication,
  loadSecp256k1,
  Mempool,
  openLedgerKeeper,
  RecoverThread,
  recoverAddressWith,
} from '#node'
import { type Logger, sha256, uint64Bytes, utf8, vrfProve } from '#primitives'
import type { Genesis, OperatorId } from '#records'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import { createPayloadPool, keysAhead } from './payload-pool.ts'
import { payloadService, payloadSpec } from './payload-service.ts'

/** A network whose only service keeps payloads; the same in every process that makes it. */
export type PayloadNetwork = {
  readonly genesis: Genesis
  readonly members: readonly {
    readonly id: OperatorId
    readonly consensusSeed: Uint8Array
    readonly vrfSecret: Uint8Array
  }[]
}

/**
 * @param operators - how many.
 * @param timeMs - when it begins.
 */
export function payloadNetwork(operators: number, timeMs: number): PayloadNetwork {
  const { genesis, operators: known } = new LedgerNetwork(operators)
  return {
    genesis: {
      ...genesis,
      timeMs,
      services: [{ spec: payloadSpec, state: new Uint8Array() }],
      operators: genesis.operators.map((operator) => ({
        ...operator,
        consensusKey: createSigner(seedOf(operator.id)).publicKey,
      })),
    },
    members: known.map(({ id, vrfSecret }) => ({ id, vrfSecret, consensusSeed: seedOf(id) })),
  }
}

const seedOf = (id: OperatorId): Uint8Array =>
  sha256(utf8('payload bench operator'), uint64Bytes(id))

/** An operator's application over the ledger on disk: what it runs, without duties and L1. */
export async function openPayloadApplication(options: {
  readonly network: PayloadNetwork
  readonly operator: OperatorId
  readonly folder: string
  readonly logger: Logger
}): Promise<{ readonly application: LedgerApplication; readonly close: () => void }> {
  const { network, operator, folder, logger } = options
  const { genesis, members } = network
  const member = members.find(({ id }) => id === operator)
  if (!member) throw new Error(`defect: no operator ${operator}`)
  const { recover } = loadSecp256k1()
  const thread = new RecoverThread({ recover, logger })
  const { recoverAhead, withKey } = keysAhead(recover)
  const service = payloadService(recoverAddressWith(recoverAhead))
  const environment = createEnvironment(genesis, createPassedCalls(), () => service)
  const keeper = await openLedgerKeeper({
    ...{ folder, disk: createDisk(folder), genesis, environment, operator, logger },
    hasServices: async () => true,
  })
  const application = new LedgerApplication({
    ...{ genesis, environment, logger },
    mempool: new Mempool({
      environment,
      pools: new Map([[payloadSpec.name, createPayloadPool({ environment, thread, withKey })]]),
      nowMs: () => Date.now(),
      onDropped: () => {},
    }),
    compute: async ({ input }) => input,
    prove: (alpha) => vrfProve(member.vrfSecret, alpha),
    nowMs: () => Date.now(),
    stored: keeper.stored,
    keep: (committed) => keeper.keep(committed, undefined),
  })
  const close = () => {
    thread.stop()
    keeper.close()
  }
  return { application, close }
}
