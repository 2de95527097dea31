// The disk of an operator on CometBFT is full: a small one of its own, which is really full.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sendFirstTransfer } from '#devnet'
import { DiskFullError } from '#node'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { cometForTests } from '../support/comet.ts'
import { type CometPlaces, findCometPlaces } from '../support/comet-cluster.ts'
import { reached, within } from '../support/waiting.ts'

const { path: binary, skip: noComet } = cometForTests()
const id = 4

const disk = mkdtempSync(join(tmpdir(), 'nodeop-disk-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk]).status === 0
const skip = noComet || (mounted ? false : 'no disk can be mounted here')
let cluster: Cluster
let places: CometPlaces
before(async () => {
  if (skip !== false) return
  places = await findCometPlaces(id, binary, { everyBlocks: 0, kept: 1 })
  cluster = await startCluster(id, undefined, { started: id - 1, consensus: places.consensusOf })
})
after(async () => {
  await cluster?.stop()
  if (mounted) spawnSync('umount', [disk])
  rmdirSync(disk)
})

/** Leaves no byte free. @returns makes room again. */
function fill(): () => void {
  const file = join(disk, 'filler')
  for (let bytes = 1024 * 1024; bytes > 0; bytes = Math.floor(bytes / 2))
    try {
      for (;;) appendFileSync(file, new Uint8Array(bytes))
    } catch (error) {
      assert((error as NodeJS.ErrnoException).code === 'ENOSPC')
    }
  return () => rmSync(file)
}

test('cluster: on a full disk an operator stops with one clear line, and goes on when there is room', {
  skip,
}, async () => {
  const folder = join(disk, 'operator')
  const first = await cluster.start(id, { folder })
  await reached(first, 3)
  const makeRoom = fill()
  const error = (await within('the end of the operator', first.failed)) as Error
  assert(error instanceof DiskFullError, String(error))
  assert.match(error.message, /^no space left for .*: free some, then start again$/)
  const answer = await fetch(`${first.url}/readyz`)
  assert.deepEqual(await answer.json(), { ready: false, reason: 'DiskFull' })
  await first.stop()
  await assert.rejects(cluster.start(id, { folder }), /no space left|disk is full/)
  makeRoom()
  const second = await cluster.start(id, { folder })
  await reached(second, cluster.operator(1).application.height + 2)
  await within('a confirmed transfer', sendFirstTransfer(second.url))
})
