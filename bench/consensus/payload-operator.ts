import { hash } from 'node:crypto'
import { createSigner } from '#consensus'
import {
  type CallPool,
  createDisk,
  createEnvironment,
  createPassedCalls,
  LedgerApplication,
  loadSecp256k1,
  Mempool,
  openLedgerKeeper,
  recoverAddressWith,
} from '#node'
import { type Logger, sha256, uint64Bytes, utf8, vrfProve } from '#primitives'
import type { Environment } from '#protocol'
import type { Genesis, OperatorId } from '#records'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
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
  const service = payloadService(recoverAddressWith(recover))
  const environment = createEnvironment(genesis, createPassedCalls(), () => service)
  const keeper = await openLedgerKeeper({
    ...{ folder, disk: createDisk(folder), genesis, environment, operator, logger },
    hasServices: async () => true,
  })
  const application = new LedgerApplication({
    ...{ genesis, environment, logger },
    mempool: new Mempool({
      environment,
      pools: new Map([[payloadSpec.name, payloadPool(environment)]]),
      nowMs: () => Date.now(),
      onDropped: () => {},
    }),
    compute: async ({ input }) => input,
    prove: (alpha) => vrfProve(member.vrfSecret, alpha),
    nowMs: () => Date.now(),
    stored: keeper.stored,
    keep: (committed) => keeper.keep(committed, undefined),
  })
  return { application, close: () => keeper.close() }
}

/** Most payloads that wait. */
const maxWaiting = 20_000

const nameOf = (payload: Uint8Array): string => hash('sha256', payload, 'base64')

/** Payloads in the order in which they came, each once: a peer may hand one over late. */
function payloadPool({ services }: Environment): CallPool {
  const service = services.get(payloadSpec.name)
  const waiting = new Map<string, Uint8Array>()
  const included = new Set<string>()
  let bytes = 0
  return {
    admit: (payload) => {
      const name = nameOf(payload)
      if (waiting.has(name)) return { ok: false, reason: 'AlreadyKnown' }
      if (included.has(name)) return { ok: false, reason: 'NoLongerWaiting' }
      if (waiting.size >= maxWaiting) return { ok: false, reason: 'MempoolFull' }
      const verdict = service?.check(payload) ?? { ok: false, reason: 'UnknownService' }
      if (!verdict.ok) return verdict
      waiting.set(name, payload)
      bytes += payload.length
      return { ok: true }
    },
    has: (payload) => waiting.has(nameOf(payload)),
    take: (maxBytes) => {
      const taken: Uint8Array[] = []
      let room = maxBytes
      for (const payload of waiting.values()) {
        room -= payload.length
        if (room < 0) break
        taken.push(payload)
      }
      return taken
    },
    committed: (payloads) => {
      for (const payload of payloads) {
        const name = nameOf(payload)
        included.add(name)
        if (waiting.delete(name)) bytes -= payload.length
      }
    },
    executable: () => waiting.size,
    bytes: () => bytes,
  }
}
