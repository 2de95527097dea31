// An operator that was never there joins from a snapshot of the others, under CometBFT.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type CometChoice, findTrust } from '#node'
import type { Hex } from '#primitives'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { underLoad } from '../support/cluster-load.ts'
import { cometForTests } from '../support/comet.ts'
import { type CometPlaces, findCometPlaces } from '../support/comet-cluster.ts'
import { reached, until } from '../support/waiting.ts'

const { path: binary, skip } = cometForTests()
/** In the genesis with a fifth of the power: the four others decide without it. */
const joiner = 5
const everyBlocks = 8
/**
 * More than are taken while CometBFT asks around: one that goes meanwhile is waited for in vain.
 */
const kept = 64
/** A block that the joiner is told to believe. */
const trustHeight = 3

let cluster: Cluster
let places: CometPlaces
before(async () => {
  if (skip !== false) return
  places = await findCometPlaces(joiner, binary, { everyBlocks, kept })
  const plan = { started: joiner - 1, consensus: places.consensusOf }
  cluster = await startCluster(joiner, undefined, plan)
})
after(() => cluster?.stop())

/** The choice of an operator that trusts what two others show of an early block. */
async function joining(): Promise<{ readonly engine: 'cometbft' } & CometChoice> {
  const servers = [places.rpcOf(1), places.rpcOf(2)]
  const nowMs = Date.now()
  const { genesis, members } = cluster
  const trust = await findTrust({ genesis, servers, height: trustHeight, nowMs })
  const other = { ...genesis, timeMs: genesis.timeMs - 1 }
  const foreign = findTrust({ genesis: other, servers, height: trustHeight, nowMs })
  await assert.rejects(foreign, { code: 'TrustFailed', message: /ForeignChain/ })
  const stateSync = { servers, ...trust, trustPeriodS: 3_600 }
  return { ...places.consensusOf(joiner, members), stateSync }
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
    // The joiner may be a block ahead by now, and who is at a height may not have been told of it.
    const common = [...followed].filter(([height]) => height < one.application.height)
    assert(common.length > 0)
    for (const [height, appHash] of common) assert.equal(appHash, hashes.get(height), `${height}`)
    const { sync_info } = (await places.ask(joiner, 'status')) as Status
    assert(Number(sync_info.earliest_block_height) > everyBlocks)
    assert.deepEqual(
      joined.said.filter(({ level }) => level === 'error'),
      [],
    )
  })
})

type Status = { readonly sync_info: { readonly earliest_block_height: string } }
