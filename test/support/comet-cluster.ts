// Operators of one cluster on CometBFT, each with a node and an RPC of its own.
import { cometTimings, nodeIdOf } from '#consensus'
import { type DevnetOperator, freePorts } from '#devnet'
import type { CometChoice } from '#node'
import type { OperatorId } from '#records'

/** How operators of a cluster run CometBFT. */
export type CometPlaces = {
  consensusOf(
    own: OperatorId,
    members: readonly DevnetOperator[],
  ): { readonly engine: 'cometbft' } & CometChoice
  /** `host:port` of an operator's RPC. */
  rpcOf(operator: OperatorId): string
  /** What an operator's RPC answers to a path. */
  ask(operator: OperatorId, path: string): Promise<unknown>
}

/** Finds a place for each of so many. */
export async function findCometPlaces(
  count: number,
  binary: string,
  snapshots: CometChoice['snapshots'],
): Promise<CometPlaces> {
  const [nodes, rpcs] = [await freePorts(count), await freePorts(count)]
  const placeIn = (ports: readonly number[], id: OperatorId) => `127.0.0.1:${ports[id - 1]}`
  return {
    consensusOf: (own, members) => ({
      engine: 'cometbft',
      ...{ binary, snapshots, mempool: 'app', timing: cometTimings.lan },
      peers: {
        listen: placeIn(nodes, own),
        persistent: members
          .filter(({ id }) => id !== own)
          .map(({ id, secrets }) => `${nodeIdOf(secrets.consensusSeed)}@${placeIn(nodes, id)}`),
      },
      rpcListen: placeIn(rpcs, own),
    }),
    rpcOf: (id) => placeIn(rpcs, id),
    async ask(id, path) {
      const response = await fetch(`http://${placeIn(rpcs, id)}/${path}`)
      return ((await response.json()) as { readonly result: unknown }).result
    },
  }
}
