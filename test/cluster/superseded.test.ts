// Two live copies of one operator: they hear the same, vote with one key, and both want to speak.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sendFirstTransfer } from '#devnet'
import { SupersededError } from '#node'
import { type Cluster, type ClusterOperator, startCluster } from '../support/cluster.ts'
import { embeddedStatus } from '../support/embedded.ts'
import { createOpenTransport } from '../support/open-transport.ts'
import { until, within } from '../support/waiting.ts'

/** The operator of which there are two. */
const id = 4

let cluster: Cluster
before(async () => {
  cluster = await startCluster(4, createOpenTransport())
})
after(() => cluster?.stop())

/** Which life of the operator the ledger has heard last, as another operator sees it. */
const speaker = () => cluster.operator(1).application.ledger.operators.get(String(id))?.instance

/** Starts a life of the operator; resolves once the ledger has heard it. */
async function startHeard(folder: string): Promise<ClusterOperator> {
  const before = speaker()
  const life = await cluster.start(id, { folder })
  await until(cluster.operator(1), 'a report of the new life', () => speaker() !== before)
  return life
}

/** What people who ask an operator's gateway are told. */
async function readiness({ url }: ClusterOperator) {
  const answer = await fetch(new URL('/readyz', url))
  return { status: answer.status, text: await answer.text() }
}

/** The older of two copies ends by itself; the newer one serves, and the network goes on. */
async function assertSuperseded(older: ClusterOperator, newer: ClusterOperator): Promise<void> {
  const error = await within('the end of the older copy', older.failed)
  assert(error instanceof SupersededError)
  assert.equal(error.code, 'Superseded')
  assert.equal(error.details.operator, id)
  assert(older.said.some(({ fields: { code } }) => code === 'Superseded'))
  const told = await readiness(older)
  assert.equal(told.status, 503)
  assert.match(told.text, /another copy of this operator speaks for it/)
  assert.equal(embeddedStatus(older).phase, 'stopped')
  await within('a confirmed transfer', sendFirstTransfer(newer.url))
  const height = newer.application.height
  for (const operator of cluster.operators)
    await until(operator, `height ${height + 2}`, (_, at) => at >= height + 2)
  assert.equal((await readiness(newer)).status, 200)
}

for (const [title, folderOf] of [
  ['an empty folder', () => cluster.folder()],
  ['a copy of its folder', (older: ClusterOperator) => copyOfStopped(older)],
] as const)
  test(`cluster: of two live copies of an operator, the second on ${title}, the older stops`, async () => {
    await until(cluster.operator(1), 'its first report', (ledger) =>
      Boolean(ledger.operators.get(String(id))?.sequence),
    )
    const folder = await folderOf(cluster.operator(id))
    const older = cluster.operator(id)
    await assertSuperseded(older, await startHeard(folder))
  })

/** Stops an operator to copy its folder, and starts it again. */
async function copyOfStopped(operator: ClusterOperator): Promise<string> {
  await operator.stop()
  const folder = await cluster.folder(operator.folder)
  await startHeard(operator.folder)
  return folder
}
