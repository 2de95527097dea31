// An operator that was never there joins from a snapshot of the others, under CometBFT.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { cometTimings, nodeIdOf } from '#consensus'
import type { DevnetOperator } from '#devnet'
import { type CometChoice, findTrust } from '#node'
import type { Hex } from '#primitives'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { underLoad } from '../support/cluster-load.ts'
import { cometForTests } from '../support/comet.ts'
import { reached, until } from '../support/waiting.ts'

const { path: binary, skip } = cometForTests()
/** In the genesis with a fifth of the power: the four others decide without it. */
const joiner = 5
const everyBlocks = 8
/** A block that the joiner is told to believe. */
const trustHeight = 3

let cluster: Cluster
let nodes: readonly number[]
let rpcs: readonly number[]
before(async () => {
  if (skip !== false) return
  nodes = await freePorts(joiner)
  rpcs = await freePorts(joiner)
  const plan = { started: joiner - 1, consensus: cometOf }
  cluster = await startCluster(joiner, undefined, plan)
})
after(() => cluster?.stop())

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const placeIn = (ports: readonly number[], id: number): string => `127.0.0.1:${ports[id - 1]}`

const cometOf = (
  own: number,
  members: readonly DevnetOperator[],
): { readonly engine: 'cometbft' } & CometChoice => ({
  engine: 'cometbft',
  ...{ binary, mempool: 'flood', timing: cometTimings.lan },
  peers: {
    listen: placeIn(nodes, own),
    persistent: members
      .filter(({ id }) => id !== own)
      .map(({ id, secrets }) => `${nodeIdOf(secrets.consensusSeed)}@${placeIn(nodes, id)}`),
  },
  rpcListen: placeIn(rpcs, own),
  snapshots: { everyBlocks, kept: 2 },
})

type Asked = {
  readonly sync_info: { readonly earliest_block_height: string }
}

/** What a node's RPC answers. */
async function ask(id: number, path: string): Promise<Asked> {
  const response = await fetch(`http://${placeIn(rpcs, id)}/${path}`)
  return ((await response.json()) as { readonly result: Asked }).result
}

/** The choice of an operator that trusts what two others show of an early block. */
async function joining(): Promise<{ readonly engine: 'cometbft' } & CometChoice> {
  const servers = [placeIn(rpcs, 1), placeIn(rpcs, 2)]
  const nowMs = Date.now()
  const { genesis } = cluster
  const trust = await findTrust({ genesis, servers, height: trustHeight, nowMs })
  const other = { ...genesis, timeMs: genesis.timeMs - 1 }
  const foreign = findTrust({ genesis: other, servers, height: trustHeight, nowMs })
  await assert.rejects(foreign, { code: 'TrustFailed', message: /ForeignChain/ })
  const stateSync = { servers, ...trust, trustPeriodS: 3_600 }
  return { ...cometOf(joiner, cluster.members), stateSync }
}

test('state sync: an operator joins without the blocks before, and follows', { skip }, async () => {
  const one = cluster.operator(1)
  const hashes = new Map<number, Hex>()
  one.application.onCommitted(({ block, appHash }) => void hashes.set(block.height, appHash))
  await underLoad(cluster, 5, async () => {
    const what = 'a snapshot with leaves that L1 holds'
    await until(one, what, ({ chain }, height) => chain.landed.size > 0 && height > everyBlocks + 4)
    const joined = await cluster.start(joiner, { consensus: await joining() })
    const followed = new Map<number, Hex>()
    joined.application.onCommitted(({ block, appHash }) => followed.set(block.height, appHash))
    await until(joined, 'a block', (_, height) => height > 0)
    await reached(joined, one.application.height + 3)
    await reached(one, joined.application.height)
    const [first = 0] = followed.keys()
    assert(first > everyBlocks, `it began with block ${first}`)
    // The joiner may be a block ahead by now.
    const common = [...followed].filter(([height]) => height <= one.application.height)
    assert(common.length > 0)
    for (const [height, appHash] of common) assert.equal(appHash, hashes.get(height), `${height}`)
    const { sync_info } = await ask(joiner, 'status')
    assert(Number(sync_info.earliest_block_height) > everyBlocks)
    assert.deepEqual(
      joined.said.filter(({ level }) => level === 'error'),
      [],
    )
  })
})
