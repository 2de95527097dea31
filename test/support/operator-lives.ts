import {
  type BlockStore,
  type ConsensusLog,
  openFileBlockStore,
  openFileLog,
  type SignGuard,
} from '#consensus'
import { consensusGuard, type Guard, NonceHeldError, openGuard, transactionGuard } from '#node'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { CrashedError, createFaultyDisk, type Faith } from './faulty-disk.ts'
import { silentLogger } from './manual-clock.ts'
import { random } from './random.ts'
import { createSigningChecker } from './signing-checker.ts'

/**
 * What is outside one operator and outlives its crashes. It is as unkind as it can be: whatever is
 * asked again after a crash is asked with other content, unless the log shows what it was.
 */
export type World = ReturnType<typeof createWorld>

/** What one operator's purposes are signed under; a control replaces one. */
export type Guarding = (
  guard: Guard,
) => Pick<Guard, 'votes' | 'reports' | 'transactions' | 'nonces'>

/** @param seed - of everything that happens. */
export function createWorld(
  seed: number,
  options: { readonly faith?: Faith; readonly logsFirst?: boolean } = {},
) {
  const next = random(seed)
  let things = 0
  return {
    next,
    /** The operator's disk, as its next life finds it. */
    disk: createFaultyDisk(seed, options.faith),
    checker: createSigningChecker(),
    /** Whether what led to a vote is in the log before the guard records the vote. */
    logsFirst: options.logsFirst ?? true,
    chance: (share: number) => next() < share,
    pick: (count: number) => Math.floor(next() * count),
    /** Content that was never asked for before. */
    fresh: (): Hex => sha256Hex(utf8(`thing ${++things}`)),
    /** Blocks whose saving was acknowledged. */
    saved: [] as Hex[],
    ledger: { sequence: 0, instance: '0x' as Hex, published: 0, asked: [] as Nonce[] },
    l1: { mined: 0, pool: new Map<number, Hex>() },
    /** Slots that stayed empty since something else had been recorded there. */
    emptySlots: 0,
    lives: 0,
  }
}

type Nonce = { readonly instance: Hex; readonly index: number }

const networkId = sha256Hex(utf8('network'))
/** The operator's one account on L1. */
const account = 'own'
const seedOf = (number: number) => new Uint8Array(32).fill(number)
const signatureOver = (digest: Hex): Hex => `${digest}${digest.slice(2)}1b`

/** Files of an operator. */
export const files = { log: 'consensus.log', blocks: 'blocks.log' } as const

/**
 * One life: the operator starts from what the last one left, and works until it has done its rounds
 * or its disk ends it.
 *
 * @throws whatever keeps it from starting, but never for a crash.
 */
export async function live(world: World, guarding: Guarding, rounds: number): Promise<void> {
  const { disk } = world
  try {
    const operator = await begin(world, guarding)
    const work = [consensus, report, transact, threshold].map(async (act) => {
      for (let round = 0; round < rounds; round++) await act(world, operator)
    })
    const failed = (await Promise.allSettled(work)).filter(({ status }) => status === 'rejected')
    for (const { reason } of failed as PromiseRejectedResult[])
      if (!(reason instanceof CrashedError)) throw reason
  } catch (error) {
    if (!(error instanceof CrashedError)) throw error
  }
  disk.end()
}

type Operator = ReturnType<Guarding> & {
  readonly instance: Hex
  readonly signGuard: SignGuard
  readonly log: ConsensusLog
  readonly store: BlockStore
  /** The height under way, as far as the log tells. */
  readonly height: HeightState
  readonly askL1: (nonce: number, digest: Hex) => Promise<void>
  readonly inFlight: Set<number>
}

type HeightState = { round: number; value: Hex | undefined; readonly voted: Set<string> }

async function begin(world: World, guarding: Guarding): Promise<Operator> {
  const { disk, ledger, l1 } = world
  const life = ++world.lives
  const options = { disk, networkId, operator: networkId, logger: silentLogger }
  const guard = await openGuard({ ...options, rng: () => seedOf(life % 256), compactBytes: 700 })
  const guarded = guarding(guard)
  const owner = { networkId, validator: networkId }
  const log = await openFileLog(files.log, owner, silentLogger, disk)
  const store = await openFileBlockStore(files.blocks, networkId, silentLogger, disk)
  const logged = world.logsFirst ? log : { sync: () => Promise.resolve() }
  const signGuard = consensusGuard(guarded, logged)
  await checkBlocks(world, store)
  const height = await replay(log, store, signGuard)
  const pendingCount = () => {
    let count = l1.mined
    while (l1.pool.has(count)) count++
    return Promise.resolve(count)
  }
  const askL1 = transactionGuard({
    ...{ guard: guarded, pendingCount, nowMs: () => 0, patienceMs: 1, logger: silentLogger },
  })
  ledger.published = 0
  return {
    ...{ ...guarded, instance: guard.instance, signGuard, log, store, height, askL1 },
    inFlight: new Set(),
  }
}

/** Every block whose saving was acknowledged is there; one that was not may be. */
async function checkBlocks({ saved }: World, store: BlockStore): Promise<void> {
  if (store.height() < saved.length) throw new Error('a saved block is lost')
  for (let height = 1; height <= store.height(); height++) {
    const value = (await store.load(height))?.appHash ?? '0x'
    if ((saved[height - 1] ?? value) !== value) throw new Error('a saved block has changed')
    saved[height - 1] = value
  }
}

/** What the log says of the height under way. */
async function replay(log: ConsensusLog, store: BlockStore, signGuard: SignGuard) {
  const height = store.height() + 1
  const state: HeightState = { round: 0, value: undefined, voted: new Set() }
  for (const record of log.replay()) {
    if (record.kind === 'validity' && record.height === height) state.value = record.value
    if (record.kind === 'timeout' && record.timeout.height === height) leaveRound(state)
    if (record.kind !== 'vote' || record.vote.height !== height) continue
    const { vote } = record
    state.voted.add(`${vote.round} ${vote.step}`)
    await signGuard.restore(vote, digestOf(vote.round, vote.step, vote.value))
  }
  return state
}

const digestOf = (round: number, step: string, value: Hex | undefined): Hex =>
  sha256Hex(utf8(`${round} ${step} ${value}`))

function leaveRound(state: HeightState): void {
  state.round++
  state.value = undefined
}

/**
 * A round of the height under way: a proposal comes in, two votes go out, and perhaps a decision.
 */
async function consensus(world: World, operator: Operator): Promise<void> {
  const { log, store, height: state } = operator
  const height = store.height() + 1
  const { round } = state
  if (!state.value) {
    state.value = world.fresh()
    log.append({ kind: 'validity', height, round, value: state.value, validity: 'valid' })
  }
  for (const step of ['prevote', 'precommit'] as const) await vote(world, operator, step)
  if (world.chance(0.4)) {
    log.append({ kind: 'timeout', timeout: { step: 'precommit', height, round } })
    leaveRound(state)
    return
  }
  const { value } = state
  const commit = { height, round, value, signatures: [] }
  const validators = { members: [], totalPower: 0n, proposer: networkId, positions: new Map() }
  const schedule = { current: validators, next: validators }
  await store.save({ height, block: utf8(value), commit, appHash: value, validators, schedule })
  if (!world.disk.hasEnded()) world.saved.push(value)
  await log.endHeight(height)
  state.voted.clear()
  Object.assign(state, { round: 0, value: undefined })
}

async function vote(world: World, operator: Operator, step: 'prevote' | 'precommit') {
  const { signGuard, log, store, height: state } = operator
  const { round, value } = state
  if (state.voted.has(`${round} ${step}`)) return
  const height = store.height() + 1
  const digest = digestOf(round, step, value)
  if (!(await signGuard.admit({ height, round, step }, digest))) {
    world.emptySlots++
    return
  }
  const signature: Hex = `${digest}${digest.slice(2)}`
  log.append({
    kind: 'vote',
    vote: { step, height, round, value, validator: networkId, signature },
  })
  await log.sync()
  state.voted.add(`${round} ${step}`)
  if (!world.disk.hasEnded())
    world.checker.signed('vote', `${height} ${round} ${step}`, value ?? '0x')
}

async function report(world: World, { reports }: Operator): Promise<void> {
  const { ledger, checker, disk } = world
  const sequence = reports.next(ledger.sequence + 1)
  const digest = world.fresh()
  const signed = await reports.sign(sequence, digest, () => signatureOver(digest))
  if (!signed.ok || disk.hasEnded()) return
  checker.signed('report', String(sequence), digest)
  if (world.chance(0.5)) ledger.sequence = Math.max(ledger.sequence, sequence)
}

async function transact(world: World, operator: Operator): Promise<void> {
  const { checker, disk, l1 } = world
  const { askL1, inFlight, transactions } = operator
  let nonce = l1.mined
  while (inFlight.has(nonce)) nonce++
  const digest = world.fresh()
  try {
    await askL1(nonce, digest)
  } catch (error) {
    if (!(error instanceof NonceHeldError)) throw error
    if (world.chance(0.3)) mine(world)
    return
  }
  if (disk.hasEnded()) return
  inFlight.add(nonce)
  if (world.chance(0.7)) {
    checker.sent(account, nonce, digest)
    l1.pool.set(nonce, digest)
  }
  if (world.chance(0.3)) {
    checker.ended(account, nonce) // given up, whether or not the guard comes to know it
    await transactions.release(nonce)
    if (disk.hasEnded()) return
    inFlight.delete(nonce)
  }
  if (world.chance(0.3)) mine(world)
}

function mine({ l1 }: World): void {
  while (l1.pool.delete(l1.mined)) l1.mined++
}

/** Publishes a nonce, signs with it, and is asked to sign with any that was ever published. */
async function threshold(world: World, { instance, nonces }: Operator): Promise<void> {
  const { ledger, checker, disk } = world
  const index = ledger.published
  await nonces.reserve(index + 1)
  if (disk.hasEnded()) return
  ledger.published++
  ledger.asked.push({ instance, index })
  const asked = [{ instance, index }, ledger.asked[world.pick(ledger.asked.length)]]
  for (const nonce of asked) {
    if (!nonce) continue
    const digest = world.fresh()
    const signed = await nonces.sign(nonce, digest, () => digest)
    if (!signed.ok || disk.hasEnded()) continue
    checker.signed('nonce', `${nonce.instance} ${nonce.index}`, digest)
  }
}
