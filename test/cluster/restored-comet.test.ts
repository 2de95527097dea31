// An operator on CometBFT comes back from a backup that is older than what its node has signed.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { KeyInUseError, readSignedHeader, validatorAddress } from '#consensus'
import { sendFirstTransfer } from '#devnet'
import { restoreBundle, restoredFile, saveBundle } from '#node'
import { type Cluster, type ClusterOperator, startCluster } from '../support/cluster.ts'
import { cometForTests } from '../support/comet.ts'
import { type CometPlaces, findCometPlaces } from '../support/comet-cluster.ts'
import { reached, until, within } from '../support/waiting.ts'

const { path: binary, skip } = cometForTests()
const id = 4
const passphrase = 'nobody else knows it'

let cluster: Cluster
let places: CometPlaces
before(async () => {
  if (skip !== false) return
  places = await findCometPlaces(id + 1, binary, { everyBlocks: 0, kept: 1 })
  cluster = await startCluster(id, undefined, { consensus: places.consensusOf })
})
after(() => cluster?.stop())

/** Height of the last vote by the operator's own record. */
const signedBy = ({ folder }: ClusterOperator): number =>
  Number(JSON.parse(readFileSync(join(folder, signState), 'utf8')).height)
const signState = 'cometbft/data/priv_validator_state.json'

/** Backs the operator up, lets it vote for some blocks, and loses its folder. */
async function loseAfterBackup(): Promise<{ readonly backup: string; readonly signed: number }> {
  const first = cluster.operator(id)
  await reached(first, 3)
  await first.stop()
  const { height } = first.application
  const backup = join(await cluster.folder(), '..', 'backup')
  await saveBundle(first.folder, backup, passphrase)
  const second = await cluster.start(id)
  await until(second, 'votes of its own', () => signedBy(second) > height + 3)
  await second.stop()
  const signed = signedBy(second)
  await rm(second.folder, { recursive: true })
  return { backup, signed }
}

/** Whether the commit of a block, which the next one holds, has a precommit of the operator. */
async function hasVoted(height: number): Promise<boolean> {
  await reached(cluster.operator(1), height + 1)
  const member = cluster.members[id - 1] ?? assert.fail()
  const address = validatorAddress(member.identity.consensusKey)
  const { signed_header } = (await places.ask(1, `commit?height=${height}`)) as {
    readonly signed_header: unknown
  }
  return readSignedHeader(signed_header).commit.signatures.some((one) => one.address === address)
}

test('cluster: a restored operator on CometBFT votes for nothing that it may have voted for', {
  skip,
}, async () => {
  const { backup, signed } = await loseAfterBackup()
  const { folder } = cluster.operator(id)
  await restoreBundle(backup, folder, passphrase)
  const { height } = cluster.operator(1).application
  const third = await cluster.start(id)
  assert.match(JSON.stringify(third.said), /restored from a backup/)
  const mark = join(folder, restoredFile)
  assert(existsSync(mark))
  let silentUntil = 0
  third.engine.onDecided(({ block }) => {
    if (existsSync(mark)) silentUntil = block.height
  })
  await until(third, 'the end of its silence', () => !existsSync(mark))
  // The life before may have signed the block that its peers were about to decide.
  const from = Math.max(height, signed) + 1
  assert(
    silentUntil > from + 1,
    `silent until ${silentUntil}, signed ${signed}, peers at ${height}`,
  )
  for (let at = from; at <= silentUntil; at++)
    assert(!(await hasVoted(at)), `a vote for ${at}: signed ${signed}, peers at ${height}`)
  let next = silentUntil + 1
  while (!(await hasVoted(next))) next++
  await within('a confirmed transfer', sendFirstTransfer(third.url))
})

test('cluster: a restored operator ends when the one that it was copied from still votes', {
  skip,
}, async () => {
  const first = cluster.operator(id)
  const [backup, folder] = [join(await cluster.folder(), '..', 'again'), await cluster.folder()]
  await first.stop()
  await saveBundle(first.folder, backup, passphrase)
  await cluster.start(id)
  await restoreBundle(backup, folder, passphrase)
  // Peers refuse a second node of one key: at another place, with a key of its own, it is let in.
  const elsewhere = places.consensusOf(id + 1, cluster.members)
  const consensus = { ...elsewhere, nodeSeed: new Uint8Array(32).fill(7) }
  const copy = await cluster.start(id, { folder, consensus })
  const error = (await within('the end of the copy', copy.failed)) as Error
  assert(error instanceof KeyInUseError, String(error))
  assert(existsSync(join(folder, restoredFile)))
})
