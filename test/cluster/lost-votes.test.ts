// An operator on CometBFT has voted for the first block, which never came, and loses the record.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { restoredFile } from '#node'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { cometForTests } from '../support/comet.ts'
import { findCometPlaces } from '../support/comet-cluster.ts'
import { within } from '../support/waiting.ts'

const { path: binary, skip } = cometForTests()
const id = 4

let cluster: Cluster
before(async () => {
  if (skip !== false) return
  const places = await findCometPlaces(id, binary, { everyBlocks: 0, kept: 1 })
  cluster = await startCluster(id, undefined, { started: 0, consensus: places.consensusOf })
})
after(() => cluster?.stop())

const data = 'cometbft/data'
const record = join(data, 'priv_validator_state.json')

/** Resolves once the operator has voted for block 1. */
function voted(folder: string): Promise<void> {
  const first = new Promise<void>((resolve) => {
    const watcher = watch(join(folder, data), look)
    function look() {
      const text = readFileSync(join(folder, record), 'utf8')
      if (JSON.parse(text).height !== '1') return
      watcher.close()
      resolve()
    }
    look()
  })
  return within('a vote for block 1', first)
}

test('cluster: who may have voted for the first block makes no new record of votes', {
  skip,
}, async () => {
  const first = await cluster.start(id)
  const { folder } = first
  await voted(folder)
  await first.stop()
  assert.equal(first.application.height, 0)
  await rm(join(folder, record))
  const lost = { code: 'SignStateLost', message: /priv_validator_state\.json is missing/ }
  await assert.rejects(cluster.start(id), lost)
  for (const path of ['cometbft', 'ledger.sqlite', 'l2.sqlite'])
    await rm(join(folder, path), { recursive: true })
  await assert.rejects(cluster.start(id), lost, 'the guard knows that there was one')
  assert(!existsSync(join(folder, record)))
  writeFileSync(join(folder, restoredFile), '')
  await (await cluster.start(id)).stop()
  assert.equal(JSON.parse(readFileSync(join(folder, record), 'utf8')).height, '0')
  assert(existsSync(join(folder, restoredFile)), 'it is silent, as one from a backup')
})
