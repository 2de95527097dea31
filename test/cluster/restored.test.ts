// An operator comes back from a backup that is older than what it has signed.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { decodeMessage, type Message, type Transport } from '#consensus'
import { sendFirstTransfer } from '#devnet'
import { restoreBundle, restoredFile, saveBundle } from '#node'
import type { Hex } from '#primitives'
import { type Cluster, type ClusterOperator, startCluster } from '../support/cluster.ts'
import { createSigningChecker } from '../support/signing-checker.ts'
import { reached, until, within } from '../support/waiting.ts'

const id = 4
const passphrase = 'nobody else knows it'

let cluster: Cluster
before(async () => {
  cluster = await startCluster()
})
after(() => cluster?.stop())

/** Every height, round and step that the operator has voted in, of all its lives. */
const checker = createSigningChecker()

/** What passes between one life of the operator and its peers. */
type Talk = { readonly voted: number[]; statuses: number; onTalk: () => void }
const newTalk = (): Talk => ({ voted: [], statuses: 0, onTalk: () => {} })

/** Heights of the votes and proposals that it sends, and how often peers say where they are. */
const tapped = (transport: Transport, talk: Talk): Transport => ({
  ...transport,
  join(self, receive) {
    const link = transport.join(self, (from, bytes) => {
      if (decodeMessage(bytes).kind === 'status') talk.statuses++
      talk.onTalk()
      receive(from, bytes)
    })
    const see = (bytes: Uint8Array) => {
      for (const { height, round, step, value } of ownIn(decodeMessage(bytes), self)) {
        talk.voted.push(height)
        checker.signed('vote', `${height} ${round} ${step}`, value ?? '0x')
      }
      talk.onTalk()
      return bytes
    }
    return {
      ...link,
      send: (to, bytes) => link.send(to, see(bytes)),
      broadcast: (bytes) => link.broadcast(see(bytes)),
    }
  },
})

const ownIn = (message: Message, self: Hex) => {
  if (message.kind === 'votes') return message.votes.filter(({ validator }) => validator === self)
  return message.kind === 'proposal' && message.proposal.proposer === self
    ? [{ ...message.proposal, step: 'proposal' }]
    : []
}

/** Resolves once the talk is as wanted. */
const talked = (talk: Talk, what: string, isSo: () => boolean): Promise<void> =>
  within(
    what,
    new Promise<void>((resolve) => {
      talk.onTalk = () => isSo() && resolve()
      talk.onTalk()
    }),
  )

/**
 * Backs the operator up, lets it vote for some blocks, and loses its folder in the midst of one.
 */
async function loseAfterBackup(): Promise<{ readonly backup: string; readonly signed: number }> {
  const first = cluster.operator(id)
  await reached(first, 3)
  await first.stop()
  const { height } = first.application
  const backup = join(await cluster.folder(), '..', `backup-${height}`)
  await saveBundle(first.folder, backup, passphrase)
  const talk = newTalk()
  const second = await cluster.start(id, { consensus: tappedBy(talk) })
  const signed = () => Math.max(0, ...talk.voted)
  await talked(talk, 'votes of its own', () => signed() > height + 5)
  await second.stop()
  await rm(second.folder, { recursive: true })
  return { backup, signed: signed() }
}

/** The network's own engine, with what it says listened to. */
const tappedBy = (talk: Talk) =>
  ({ engine: 'embedded', transport: tapped(cluster.transport, talk) }) as const

/** Starts it from the backup; without the mark, as a plain copy would. */
async function restore(backup: string, talk: Talk, isMarked = true): Promise<ClusterOperator> {
  const { folder } = cluster.operator(id)
  await rm(folder, { recursive: true, force: true })
  await restoreBundle(backup, folder, passphrase)
  if (!isMarked) await rm(join(folder, restoredFile))
  return cluster.start(id, { consensus: tappedBy(talk) })
}

test('cluster: a restored operator signs nothing that it may have signed, and then serves again', async () => {
  const { backup, signed } = await loseAfterBackup()
  const goal = Math.max(...cluster.operators.map(({ application }) => application.height))
  const talk = newTalk()
  const third = await restore(backup, talk)
  assert.match(JSON.stringify(third.said), /restored from a backup/)
  const speaks = (): string | undefined =>
    cluster.operator(1).application.ledger.operators.get(String(id))?.instance
  const instance = speaks()
  await talked(talk, 'votes of its own', () => talk.voted.length > 0)
  const first = Math.min(...talk.voted)
  assert(first > signed && first > goal + 2, `at ${first}, signed ${signed}, peers at ${goal}`)
  await until(cluster.operator(1), 'a report of the new life', () => speaks() !== instance)
  assert.deepEqual(checker.violations, [])
  assert(!existsSync(join(third.folder, restoredFile)))
  await within('a confirmed transfer', sendFirstTransfer(third.url))
})

test('cluster: where too few peers speak it stays silent; without the mark it would vote again', async () => {
  await cluster.operator(3).stop()
  const { backup, signed } = await loseAfterBackup()
  const talk = newTalk()
  const marked = await restore(backup, talk)
  await talked(talk, 'many words of its peers', () => talk.statuses > 30)
  assert.deepEqual(talk.voted, [])
  assert.equal(marked.application.height, cluster.operator(1).application.height)
  await marked.stop()
  const control = newTalk()
  const unmarked = await restore(backup, control, false)
  await talked(control, 'votes of its own', () => control.voted.length > 0)
  assert(Math.min(...control.voted) <= signed, 'the control signs where it has signed')
  await unmarked.stop()
})

test('cluster: where all were restored from one moment, they go on by themselves', async () => {
  await Promise.all(cluster.operators.map(({ stop }) => stop()))
  for (const { folder } of cluster.operators) await writeFile(join(folder, restoredFile), '')
  const heights = cluster.operators.map(({ application }) => application.height)
  for (const { id: one } of cluster.members) await cluster.start(one)
  await reached(cluster.operator(1), Math.max(...heights) + 3)
})
