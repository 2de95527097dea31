// Records a short run of four real operators as a golden block log: the genesis, every decided
// block, and what came of it. One of them votes twice on the way, and is jailed. Run it only for a
// state-breaking change, or for another form of blocks, and say so in the changelog:
// `npm run golden`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createSigner,
  encodeMessage,
  openBlock,
  openFileBlockStore,
  type StoredBlock,
  toProposed,
  type Vote,
  voteSignBytes,
} from '#consensus'
import { createLoad, devnetAccount, l2ChainId, loadSecrets, loadSenders } from '#devnet'
import { createDisk, createLogger, loadSecp256k1, systemClock } from '#node'
import { assert, type Hex, sha256Hex, toHex, utf8 } from '#primitives'
import type { Ledger } from '#protocol'
import { networkId, type OperatorId } from '#records'
import { packGoldenLog } from '../test/golden/log.ts'
import { openOperator } from '../test/golden/operator.ts'
import { type Cluster, startCluster } from '../test/support/cluster.ts'
import { toOutcome } from '../test/support/outcome.ts'
import { until, within } from '../test/support/waiting.ts'

const target = join(import.meta.dirname, '..', 'test', 'golden', 'devnet.json.gz')
const logger = createLogger('warn', {})
/** Who votes twice. */
const culprit: OperatorId = 4
/** Blocks of each span at least: before the double vote, and after it. */
const spanBlocks = 16

/** Clients of the network: transfers on L2, and a price task a second. */
const loadOn = ({ genesis, operators }: Cluster) =>
  createLoad({
    ...{ l2ChainId, clock: systemClock, logger, rate: 5, symbols: ['ETH/USD', 'BTC/USD'] },
    gateways: operators.map(({ url }) => url),
    senders: loadSecrets(loadSenders).map(toHex),
    taskClient: devnetAccount(9).privateKey,
    networkId: networkId(genesis),
    sign: loadSecp256k1().sign,
  })

/** Waits for a span of blocks, in which a task comes to its end on L1. */
function liveOn({ operator }: Cluster): Promise<void> {
  const one = operator(1)
  const settledIn = ({ endedTasks }: Ledger) =>
    [...endedTasks.values()].filter(({ status }) => status === 'settled').length
  const { height, ledger } = one.application
  const before = settledIn(ledger)
  return until(
    one,
    'a span with a settled task',
    (now, at) => at >= height + spanBlocks && settledIn(now) > before,
  )
}

/** Waits for a block without content. */
function rest({ operator }: Cluster): Promise<void> {
  const { engine } = operator(1)
  const empty = new Promise<void>((resolve) => {
    const stop = engine.onDecided(({ block }) => {
      if (block.transactions.length > 0) return
      stop()
      resolve()
    })
  })
  return within('an empty block', empty)
}

/** Has the culprit prevote two blocks at each height, until a block holds the proof. */
function proveDoubleVote(cluster: Cluster): Promise<void> {
  const { engine } = cluster.operator(1)
  const stranger = cluster.transport.join(sha256Hex(utf8('golden')), () => {})
  const proven = new Promise<void>((resolve, reject) => {
    const stop = engine.onDecided(({ block }) => {
      if (block.misbehaviour.length === 0)
        return void voteTwice(cluster, block.height + 1, stranger).catch(reject)
      stop()
      resolve()
    })
  })
  return within('a block with the double vote', proven).finally(() => stranger.leave())
}

/** Tells all but the culprit of two of its votes. */
async function voteTwice(
  { genesis, members }: Cluster,
  height: number,
  stranger: { send(to: Hex, bytes: Uint8Array): void },
): Promise<void> {
  const { secrets } = members.find(({ id }) => id === culprit) ?? noMember()
  for (const text of ['one block', 'another']) {
    // A new one each time: a signer signs once for a slot.
    const signer = createSigner(secrets.consensusSeed)
    const slot = { height, round: 0, step: 'prevote' } as const
    const ballot = { ...slot, value: sha256Hex(utf8(text)), validator: signer.publicKey }
    const signed = await signer.sign(slot, voteSignBytes(networkId(genesis), ballot))
    assert(signed.ok, 'a new signer has signed nothing')
    const votes: readonly Vote[] = [{ ...ballot, signature: signed.signature }]
    for (const { id, identity } of members)
      if (id !== culprit)
        stranger.send(identity.consensusKey, encodeMessage({ kind: 'votes', votes }))
  }
}

/** All blocks of an operator that has stopped. */
async function blocksIn(folder: string, network: Hex): Promise<readonly StoredBlock[]> {
  const store = await openFileBlockStore('blocks.log', network, logger, createDisk(folder))
  const blocks: StoredBlock[] = []
  for (let height = 1; height <= store.height(); height++) {
    const stored = await store.load(height)
    assert(stored, `block ${height} is there`)
    blocks.push(stored)
  }
  await store.close()
  return blocks
}

/** Executes the blocks once more: what came of each. */
async function executeAll({ genesis }: Cluster, blocks: readonly StoredBlock[]) {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-golden-'))
  const operator = await openOperator({ genesis, folder, disk: createDisk(folder) })
  const executed = []
  for (const { block, appHash } of blocks) {
    const sealed = openBlock(block)
    const decided = { ...toProposed(sealed.block), hash: sealed.hash }
    const outcome = toOutcome(await operator.application.finalizeBlock(decided))
    assert(outcome.appHash === appHash, 'what the network had decided')
    await operator.application.commit()
    executed.push({ block, outcome })
  }
  await operator.close()
  rmSync(folder, { recursive: true })
  return executed
}

function noMember(): never {
  throw new Error('defect: a network has operators')
}

const cluster = await startCluster()
try {
  const load = loadOn(cluster)
  await load.start()
  await liveOn(cluster)
  await proveDoubleVote(cluster)
  await liveOn(cluster)
  await load.stop()
  await rest(cluster)
  await rest(cluster)
  const { folder, stop } = cluster.operator(1)
  await stop()
  const stored = await blocksIn(folder, networkId(cluster.genesis))
  const { commit } = stored.at(-1) ?? noMember()
  writeFileSync(target, packGoldenLog(cluster.genesis, commit, await executeAll(cluster, stored)))
  process.stderr.write(`${stored.length} blocks recorded in ${target}\n`)
} finally {
  await cluster.stop()
}
process.exit(0)
