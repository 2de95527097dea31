// Four real operators under transfers and price tasks: what each of them holds is the same.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTransport, type Message } from '#consensus'
import {
  allReach,
  type Cluster,
  type ClusterOperator,
  heldBlocks,
  startCluster,
} from '../support/cluster.ts'
import { underLoad } from '../support/cluster-load.ts'
import { createSigningChecker } from '../support/signing-checker.ts'
import { checkShares, tapInto } from '../support/signing-tap.ts'
import { reached, until, within } from '../support/waiting.ts'

const checker = createSigningChecker()
const messages = new Set<(message: Message) => void>()
let cluster: Cluster
before(async () => {
  const tap = tapInto(checker, (message) => {
    for (const listener of messages) listener(message)
  })
  cluster = await startCluster(4, createTransport(tap))
  cluster.operator(1).application.onCommitted((committed) => checkShares(checker, committed))
})
after(() => cluster?.stop())

/** Every block up to a height is the same on all operators, and so is the ledger after it. */
async function assertSame(height: number): Promise<void> {
  const [first = [], ...others] = await Promise.all(
    cluster.operators.map((operator) => heldBlocks(cluster, operator)),
  )
  assert(first.length >= height)
  for (const held of others) assert.deepEqual(held.slice(0, height), first.slice(0, height))
  const appHashes = new Set(first.map(({ appHash }) => appHash))
  assert(appHashes.size > 5, 'the ledger has moved')
}

test('cluster: every operator holds the same blocks and app hashes at every height', async () => {
  const { transactions } = await underLoad(cluster, 8, () =>
    until(
      cluster.operator(1),
      'two tasks that ended, and a checkpoint on L1',
      ({ endedTasks, chain }) => endedTasks.size >= 2 && chain.landed.index > 0,
    ),
  )
  await assertSame(await allReach(cluster, 2))
  const sent = [...transactions.values()]
  assert(sent.length > 0 && sent.every(({ status }) => status !== 'refused'))
})

test('cluster: stopped and started again at any moment, an operator catches up and signs nothing else', async () => {
  const { consensusKey } = cluster.members[3]?.identity ?? assert.fail()
  await underLoad(cluster, 8, async () => {
    for (const [step, blocksAway] of interruptions) {
      await within(step, spoken(consensusKey, step))
      await cluster.operator(4).stop()
      await reached(cluster.operator(1), cluster.operator(1).application.height + blocksAway)
      await cluster.start(4)
      await catchUp(cluster.operator(4), 2)
    }
  })
  await assertSame(await allReach(cluster, 2))
  assert.deepEqual(checker.violations, [])
  for (const purpose of ['vote', 'proposal', 'report', 'nonce'])
    assert(checker.seen(purpose) > 10, purpose)
  const errors = cluster.operators.flatMap(({ said }) =>
    said.filter(({ level }) => level === 'error'),
  )
  assert.deepEqual(errors, [])
})

/** What an operator has just signed when it is stopped, and how many blocks it stays away. */
const interruptions = [
  ['prevote', 0],
  ['precommit', 0],
  ['proposal', 8],
] as const

/** Resolves when an operator is heard to sign such a thing. */
const spoken = (key: string, step: 'prevote' | 'precommit' | 'proposal'): Promise<void> =>
  new Promise((resolve) => {
    const listener = (message: Message) => {
      const isIt =
        message.kind === 'proposal'
          ? step === 'proposal' && message.proposal.proposer === key
          : message.kind === 'votes' &&
            message.votes.some((vote) => vote.validator === key && vote.step === step)
      if (!isIt) return
      messages.delete(listener)
      resolve()
    }
    messages.add(listener)
  })

/** Waits until an operator is where another one is now, and so many blocks further. */
const catchUp = (operator: ClusterOperator, more: number): Promise<void> =>
  reached(operator, cluster.operator(1).application.height + more)
