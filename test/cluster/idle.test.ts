// Four operators on CometBFT with nothing to do: their blocks are few, and change nothing.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { cometTimings, idleWaitMs } from '#consensus'
import type { Hex } from '#primitives'
import { type Cluster, type ClusterOperator, startCluster } from '../support/cluster.ts'
import { cometForTests } from '../support/comet.ts'
import { findCometPlaces } from '../support/comet-cluster.ts'
import { within } from '../support/waiting.ts'

const { path: binary, skip } = cometForTests()
const count = 4
/** Heartbeats in a row that are asked for: each operator has proposed one. */
const wantedBeats = 5
/** Of them, those with a quiet block before and after: nothing was due when they were proposed. */
const fullBeats = wantedBeats - 2
/** Between two of those at least, by the blocks' own time; timers may be a little early. */
const leastBeatMs = 0.9 * idleWaitMs(cometTimings.lan)
/** Blocks until then at most: what L1 has to say of the network's beginning takes some ten. */
const maxBlocks = 60

let cluster: Cluster
before(async () => {
  if (skip !== false) return
  const places = await findCometPlaces(count, binary, { everyBlocks: 0, kept: 1 })
  cluster = await startCluster(count, undefined, { consensus: places.consensusOf })
})
after(() => cluster?.stop())

/**
 * Resolves after so many blocks without a transaction in a row that keep their distance. After each
 * of them the ledger is what it was: CometBFT would make a block at once to prove another one, and
 * so on for ever.
 */
function beats({ application }: ClusterOperator): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let last: Hex | undefined
  let blocks = 0
  let quietMs: readonly number[] = []
  application.onCommitted(({ block, appHash }) => {
    const isEmpty = block.transactions.length === 0
    blocks++
    quietMs = isEmpty ? [...quietMs, block.timeMs] : []
    if (isEmpty && last !== undefined && appHash !== last)
      reject(new Error(`block ${block.height} is empty and changes the ledger`))
    last = appHash
    if (isRest(quietMs)) resolve()
    if (blocks === maxBlocks) reject(new Error(`no rest in ${maxBlocks} blocks`))
  })
  return promise
}

function isRest(quietMs: readonly number[]): boolean {
  const last = quietMs.slice(-1 - fullBeats)
  const beatsMs = last.slice(1).map((timeMs, place) => timeMs - (last[place] ?? 0))
  return quietMs.length >= wantedBeats && beatsMs.every((ms) => ms >= leastBeatMs)
}

test('cluster: while nothing happens, blocks are few, and leave the ledger bit for bit as it is', {
  skip,
}, async () => {
  await within('heartbeats', Promise.all(cluster.operators.map(beats)))
  for (const { said } of cluster.operators)
    assert.deepEqual(
      said.filter(({ level }) => level === 'error'),
      [],
    )
})
