import { type Hex, keccak256, sha256Hex, toHex, uint64Bytes, utf8 } from '#primitives'
import {
  appHash,
  type Ledger,
  l1EventsToBring,
  proposalFault,
  randomnessAlpha,
  validatorUpdates,
} from '#protocol'
import {
  type DecidedBlock,
  encodeTransaction,
  maxL1Events,
  type Transaction,
  type TransactionResult,
} from '#records'
import { L1Model } from '../support/l1-model.ts'
import type { LedgerCrypto } from '../support/ledger-crypto.ts'
import { execute, genesisTimeMs, LedgerNetwork } from '../support/ledger-network.ts'
import { type Block, genesisName } from './block.ts'
import { checkLedger, checkShare, createLedgerMemory, type LedgerMemory } from './ledger-checker.ts'
import { admit, chosen, createPool, drop, hoard, type Pool } from './ledger-pool.ts'
import { speak, type Voices } from './operator.ts'
import { type Application, isHealed, keyOf, later, type Peer, type World } from './world.ts'

/** The ledger after a block, and what became of its transactions. */
type Executed = { readonly ledger: Ledger; readonly results: readonly TransactionResult[] }

/** What a control makes of the ledger that a block left, knowing the one before. */
export type Tamper = { readonly spoil: (ledger: Ledger, before: Ledger) => Ledger }

/** Everything of a run that is the ledger's. */
type Side = {
  readonly tamper: Tamper | undefined
  readonly network: LedgerNetwork
  readonly crypto: LedgerCrypto
  readonly l1: L1Model
  /** Ledgers by the name of the block that led to them: every honest operator computes the same. */
  readonly after: Map<Hex, Executed>
  /** App hashes by the name of the block that led to them, and blocks that were judged. */
  readonly appHashes: Map<Hex, Hex>
  readonly judged: Map<Hex, boolean>
  readonly pools: readonly Pool[]
  readonly memory: LedgerMemory
  readonly shares: Voices['shares']
}

/** Time between two requests of clients. */
const requestMs = 400

/**
 * The whole ledger as the application: operators report what their committed ledger asks of them,
 * clients ask for tasks, an L1 records what is certified, and who is jailed leaves consensus. FROST
 * is always real.
 */
export function createLedgerApplication(
  size: number,
  crypto: LedgerCrypto,
  tamper?: Tamper,
): Application {
  const network = new LedgerNetwork(size, {}, crypto)
  const memory = createLedgerMemory(network.ledger)
  const side: Side = {
    ...{
      tamper,
      network,
      crypto,
      memory,
      l1: new L1Model(),
      pools: network.operators.map(createPool),
    },
    ...{ after: new Map(), appHashes: new Map(), judged: new Map(), shares: new Map() },
  }
  side.after.set(genesisName, { ledger: network.ledger, results: [] })
  const talk = (world: World, peer: Peer, block: Block, ledger: Ledger) => {
    const own = speak(voicesOf(side, world), world, peer, block, ledger)
    const pool = side.pools[peer.id]
    if (own && pool) hoard(pool, own)
  }
  return {
    appHash: (parent) => appHashAfter(side, parent),
    updates: (block) => updates(side, block),
    propose: (world, peer, height) => propose(side, world, peer, height),
    isAcceptable: (block) => isAcceptable(side, block),
    onCommit(world, peer, block) {
      const { ledger, results } = executed(side, block)
      drop(side.pools[peer.id] as Pool, block.transactions)
      if (peer.isHonest) checkLedger(memory, world, block, ledger, results)
      moveL1(side, world, ledger)
      talk(world, peer, block, ledger)
    },
    onRestart(world, peer) {
      side.pools[peer.id]?.reports.clear()
      side.pools[peer.id]?.others.clear()
      const block = peer.disk.store.at(-1)?.block
      if (block) talk(world, peer, block, executed(side, block).ledger)
    },
    hears(peer, transaction) {
      const pool = side.pools[peer.id] as Pool
      if (peer.isHonest) admit(pool, transaction, ledgerOf(side, peer), network.environment)
      else hoard(pool, transaction)
    },
    begin: (world) => request(side, world),
    isDone: (world) => {
      const block = world.blocks.get(world.checker.chain.at(-1) ?? genesisName)
      return block !== undefined && executed(side, block).ledger.tasks.size === 0
    },
    counts: () => ({
      tasks: memory.accepted.size,
      certified: memory.certified.size,
      landed: memory.before.chain.landed.index,
      nonces: memory.sessionOfNonce.size,
      jailed: [...memory.before.operators.values()].filter(({ status }) => status === 'jailed')
        .length,
    }),
  }
}

const voicesOf = ({ network, l1, memory, shares }: Side, { checker }: World): Voices => ({
  ...{ network, l1, shares },
  onShare: (operator, session) => checkShare(memory, checker, operator, session),
})

const ledgerAfter = (side: Side, name: Hex): Ledger => {
  const known = side.after.get(name)
  if (!known) throw new Error('defect: a block was built on one that nobody executed')
  return known.ledger
}

const ledgerOf = (side: Side, { disk }: Peer): Ledger =>
  ledgerAfter(side, disk.store.at(-1)?.block.name ?? genesisName)

function appHashAfter(side: Side, parent: Hex): Hex {
  const known = side.appHashes.get(parent) ?? appHash(ledgerAfter(side, parent))
  side.appHashes.set(parent, known)
  return known
}

/** Whose vote a block gives or takes. */
const updates = (side: Side, block: Block) =>
  validatorUpdates(ledgerAfter(side, block.parent), executed(side, block).ledger).map((one) => ({
    ...one,
    consensusKey: keyOf(
      side.network.operators.findIndex(({ consensusKey }) => consensusKey === one.consensusKey),
    ),
  }))

/** A block in the ledger's terms. */
const decidedOf = (side: Side, block: Block): DecidedBlock => ({
  height: block.height,
  timeMs: genesisTimeMs + block.timeMs,
  proposer: consensusKeyOf(side, Number(block.proposer)),
  transactions: block.transactions.map(encodeTransaction),
  misbehaviour: block.misbehaviour.map(({ first }) => ({
    consensusKey: consensusKeyOf(side, Number(first.validator)),
    height: first.height,
  })),
  hash: toHex(keccak256(uint64Bytes(Number(block.name)))),
})

/** Executing is a pure function of the block and its parent, and so is done once for all. */
function executed(side: Side, block: Block): Executed {
  const known = side.after.get(block.name)
  if (known) return known
  const before = ledgerAfter(side, block.parent)
  const decided = decidedOf(side, block)
  const { ledger, results } = execute(before, decided, side.network.environment)
  const done = { ledger: side.tamper?.spoil(ledger, before) ?? ledger, results }
  side.after.set(block.name, done)
  return done
}

/** Judging one whose parent is the own tip is pure too. */
function isAcceptable(side: Side, block: Block): boolean {
  const known = side.judged.get(block.name)
  if (known !== undefined) return known
  const before = ledgerAfter(side, block.parent)
  const fault = proposalFault(before, decidedOf(side, block), side.network.environment)
  side.judged.set(block.name, fault === undefined)
  return fault === undefined
}

const consensusKeyOf = ({ network }: Side, id: number) =>
  network.operators[id]?.consensusKey ?? sha256Hex(utf8('stranger'))

function propose(side: Side, world: World, peer: Peer, height: number): readonly Transaction[] {
  const { network, crypto, l1 } = side
  // What a withholder leaves out, others propose.
  if (peer.fault === 'withholder' && world.chance.hits(500)) return []
  const ledger = ledgerOf(side, peer)
  const vrfSecret = network.operators[peer.id]?.vrfSecret ?? new Uint8Array(32)
  const alpha = randomnessAlpha(ledger.constants.network, height)
  const proof = toHex(crypto.proveRandomness(vrfSecret, alpha))
  const agreed = ledger.chain.l1.events
  const events = l1EventsToBring(ledger, l1.events.slice(agreed, agreed + maxL1Events))
  return [
    { kind: 'randomness', proof },
    ...chosen(side.pools[peer.id] as Pool),
    ...(peer.fault === 'replayer' ? decidedBefore(world, peer) : []),
    ...(events.length > 0 ? [{ kind: 'l1-events', events } as const] : []),
  ]
}

/** Reports and tasks of some earlier block: the ledger must not take them again. */
function decidedBefore({ chance }: World, { disk }: Peer): readonly Transaction[] {
  if (disk.store.length === 0) return []
  const { transactions } = chance.of(disk.store).block
  return transactions.filter(({ kind }) => kind === 'report' || kind === 'task')
}

/** Clients ask for work until faults end. */
function request(side: Side, world: World): void {
  const { network, pools } = side
  const { chance } = world
  if (isHealed(world)) return
  network.timeMs = genesisTimeMs + world.nowMs
  const service = chance.of(['byte', 'text', 'nothing'])
  const payload = new Uint8Array([chance.below(256)])
  const task = chance.hits(700)
    ? network.task({ service, payload })
    : ({ kind: 'call', service: 'tally', payload } as const)
  for (const pool of pools)
    if (chance.hits(700)) later(world, chance.below(200), () => hoard(pool, task))
  if (chance.hits(100)) side.l1.deposit(network.client.address, BigInt(chance.below(5_000)))
  later(world, requestMs, () => request(side, world))
}

/** L1 records a certificate and executes leaves: sometimes, and at once when all is well. */
function moveL1({ l1 }: Side, world: World, ledger: Ledger): void {
  const { chance } = world
  const isWell = isHealed(world)
  const newest = l1.submittable(ledger).at(-1)
  if (newest && (isWell || chance.hits(100))) l1.record(newest, isWell ? 0 : chance.below(6))
  for (const leaf of l1.executable(ledger))
    if (isWell || chance.hits(100)) l1.execute(leaf, isWell || chance.hits(700))
}
