import { keccak256, sha256Hex, toHex, uint64Bytes, utf8 } from '#primitives'
import {
  appHash,
  type Duty,
  duties,
  type Ledger,
  l1EventsToBring,
  operatorOf,
  randomnessAlpha,
} from '#protocol'
import {
  chainL1Digest,
  emptyL1Digest,
  encodeTransaction,
  maxL1Events,
  type Statement,
  type Transaction,
  type TransactionResult,
} from '#records'
import { sessionDigest } from '#threshold'
import { L1Model } from '../support/l1-model.ts'
import type { LedgerCrypto } from '../support/ledger-crypto.ts'
import { execute, genesisTimeMs, LedgerNetwork } from '../support/ledger-network.ts'
import { nonceOf, shareOf, taskStatement, testSalt } from '../support/ledger-script.ts'
import { type Block, genesisName } from './block.ts'
import { checkLedger, createLedgerMemory } from './ledger-checker.ts'
import { broadcast, halfOf, send } from './network.ts'
import { type Application, isHealed, later, type Peer, type World } from './world.ts'

/** The ledger after a block, and what became of its transactions. */
type Executed = { readonly ledger: Ledger; readonly results: readonly TransactionResult[] }

/** What one operator holds for its next block. */
type Pool = Map<string, Transaction>

/** What a control makes of the ledger that a block left, knowing the one before. */
export type Tamper = { readonly spoil: (ledger: Ledger, before: Ledger) => Ledger }

/** Everything of a run that is the ledger's. */
type Side = {
  readonly tamper: Tamper | undefined
  readonly network: LedgerNetwork
  readonly crypto: LedgerCrypto
  readonly l1: L1Model
  /** Ledgers by the name of the block that led to them: every honest operator computes the same. */
  readonly after: Map<Block['name'], Executed>
  readonly pools: readonly Pool[]
  /** Shares by operator, instance and session: the same for ever, and dear to make. */
  readonly shares: Map<string, Statement>
}

/** Time between two requests of clients. */
const requestMs = 400

/** Most tasks in one block. */
const tasksPerBlock = 4

/**
 * The whole ledger as the application: operators report what their committed ledger asks of them,
 * clients ask for tasks, and an L1 records what is certified. FROST is always real.
 */
export function createLedgerApplication(
  size: number,
  crypto: LedgerCrypto,
  tamper?: Tamper,
): Application {
  const network = new LedgerNetwork(size, {}, crypto)
  const pools = network.operators.map((): Pool => new Map())
  const side: Side = {
    tamper,
    network,
    crypto,
    l1: new L1Model(),
    after: new Map(),
    pools,
    shares: new Map(),
  }
  side.after.set(genesisName, { ledger: network.ledger, results: [] })
  const memory = createLedgerMemory(network.ledger)
  return {
    appHash: (parent) => appHash(ledgerAfter(side, parent)),
    propose: (world, peer, height) => propose(side, world, peer, height),
    onCommit(world, peer, block) {
      const { ledger, results } = executed(side, block)
      const pool = side.pools[peer.id] as Pool
      for (const one of block.transactions) pool.delete(nameOf(one))
      if (peer.isHonest) checkLedger(memory, world, block, ledger, results)
      moveL1(side, world, ledger)
      speak(side, world, peer, block)
    },
    onRestart(world, peer) {
      side.pools[peer.id]?.clear()
      const block = peer.disk.store.at(-1)?.block
      if (block) speak(side, world, peer, block)
    },
    hears: (peer, transaction) => void side.pools[peer.id]?.set(nameOf(transaction), transaction),
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
    }),
  }
}

const ledgerAfter = (side: Side, name: Block['name']): Ledger => {
  const known = side.after.get(name)
  if (!known) throw new Error('defect: a block was built on one that nobody executed')
  return known.ledger
}

/** Executing is a pure function of the block and its parent, and so is done once for all. */
function executed(side: Side, block: Block): Executed {
  const known = side.after.get(block.name)
  if (known) return known
  const { network } = side
  const decided = {
    height: block.height,
    timeMs: genesisTimeMs + block.timeMs,
    proposer: consensusKeyOf(side, Number(block.proposer)),
    transactions: block.transactions.map(encodeTransaction),
    misbehaviour: block.misbehaviour.map(({ first }) => ({
      consensusKey: consensusKeyOf(side, Number(first.validator)),
      height: first.height,
    })),
    hash: toHex(keccak256(uint64Bytes(Number(block.name)))),
  }
  const before = ledgerAfter(side, block.parent)
  const { ledger, results } = execute(before, decided, network.environment)
  const done = { ledger: side.tamper?.spoil(ledger, before) ?? ledger, results }
  side.after.set(block.name, done)
  return done
}

const consensusKeyOf = ({ network }: Side, id: number) =>
  network.operators[id]?.consensusKey ?? sha256Hex(utf8('stranger'))

/** One report of an operator, the latest, and each task once. */
const nameOf = (one: Transaction): string =>
  one.kind === 'report' ? `report ${one.report.operator}` : toHex(keccak256(encodeTransaction(one)))

function propose(side: Side, world: World, peer: Peer, height: number): readonly Transaction[] {
  const { network, crypto, l1 } = side
  const ledger = ledgerAfter(side, peer.disk.store.at(-1)?.block.name ?? genesisName)
  const vrfSecret = network.operators[peer.id]?.vrfSecret ?? new Uint8Array(32)
  const alpha = randomnessAlpha(ledger.constants.network, height)
  const proof = toHex(crypto.proveRandomness(vrfSecret, alpha))
  const held = [...(side.pools[peer.id] as Pool).values()]
  const agreed = ledger.chain.l1.events
  const events = l1EventsToBring(ledger, l1.events.slice(agreed, agreed + maxL1Events))
  const bare = peer.fault === 'withholder' && world.chance.hits(500)
  return [
    ...(bare ? [] : [{ kind: 'randomness', proof } as const]),
    ...held.filter(({ kind }) => kind === 'report'),
    ...held.filter(({ kind }) => kind !== 'report').slice(0, tasksPerBlock),
    ...(events.length > 0 ? [{ kind: 'l1-events', events } as const] : []),
  ]
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
    if (chance.hits(700)) later(world, chance.below(200), () => pool.set(nameOf(task), task))
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

/** An operator reports all that its committed ledger asks of it; each life is an instance. */
function speak(side: Side, world: World, peer: Peer, block: Block): void {
  if (peer.fault === 'silent' || !side.network.operators[peer.id]) return
  const { network } = side
  const { ledger } = executed(side, block)
  const id = peer.id + 1
  const instance = sha256Hex(utf8(`instance ${id} ${peer.life}`))
  const timeMs = genesisTimeMs + block.timeMs
  const said = duties(ledger, id, timeMs).flatMap((duty) =>
    answer(side, world, peer, duty, instance),
  )
  if (said.length === 0 && operatorOf(ledger, id)?.instance === instance) return
  const transaction = network.report(id, said, { instance })
  side.pools[peer.id]?.set(nameOf(transaction), transaction)
  if (peer.fault !== 'equivocator') {
    broadcast(world, peer, { kind: 'transaction', transaction })
    return
  }
  const { sequence } = transaction.report
  const other = network.report(id, [], { instance, sequence })
  for (const to of world.peers) {
    const shown = halfOf(world, to) === 1 ? transaction : other
    if (to !== peer) send(world, peer, to, { kind: 'transaction', transaction: shown })
  }
}

function answer(
  side: Side,
  world: World,
  { id, fault }: Peer,
  duty: Duty,
  instance: ReturnType<typeof sha256Hex>,
): readonly Statement[] {
  const { network } = side
  const operator = id + 1
  const nonce = (index: number) => nonceOf(network, operator, index, instance)
  switch (duty.kind) {
    case 'publish-nonces': {
      const indices = Array.from({ length: duty.count }, (_, i) => duty.fromIndex + i)
      const commitments = indices.map(nonce)
      return [{ kind: 'nonces', commitments }]
    }
    case 'sign': {
      const own = duty.session.signers.find((signer) => signer.operator === operator)
      const { hiding } = nonce(own?.nonce.index ?? 0)
      if (own?.nonce.hiding !== hiding) return []
      const { checkpoint, attempt } = duty.session
      if (fault === 'invalid') return [{ kind: 'share', checkpoint, attempt, share: testSalt }]
      const name = `${operator} ${instance} ${sessionDigest(duty.session)}`
      const share = side.shares.get(name) ?? shareOf(network, operator, duty, instance)
      side.shares.set(name, share)
      return [share]
    }
    case 'execute':
    case 'reveal': {
      // A result depends on the task alone, so that who lies opens what it committed.
      const truth = 100 + (Number.parseInt(duty.task.id.slice(-2), 16) % 50)
      return [taskStatement(operator, duty, fault === 'liar' ? 250 : truth)]
    }
    case 'vouch':
      return [view(side, world, fault, duty.events)]
    default:
      return []
  }
}

function view({ l1 }: Side, world: World, fault: Peer['fault'], agreed: number): Statement {
  const most = Math.min(l1.events.length, agreed + maxL1Events)
  const events = isHealed(world) ? most : agreed + world.chance.below(most - agreed + 1)
  const digest = l1.events.slice(0, events).reduce(chainL1Digest, emptyL1Digest)
  return { kind: 'view', view: { block: events + 1, events, digest, fork: fault === 'forger' } }
}
