import { type Hex, keccak256Hex, setBounded, toHex } from '#primitives'
import type { TransactionResult, Verdict } from '#records'
import { type Recover, type RecoverLater, senderLater } from '../engine/recover.ts'
import type { AccountState, Engine } from '../engine/types.ts'
import { maxCostOf, noAccount, refused } from '../engine/validity.ts'
import { type CheckRules, checkEthereumTransaction, checkRules } from '../state/check.ts'
import type { EthereumTransaction } from '../state/ethereum-transaction.ts'
import type { L2Genesis } from '../state/genesis.ts'
import { authoritiesOf, delegationRefusal } from './delegation.ts'
import {
  executable,
  nextNonce,
  queueRefusal,
  type SenderQueue,
  type Waiting,
} from './sender-queue.ts'

/** One operator's waiting transactions. What it holds is its own: blocks decide. */
export type Pool = {
  /** Takes a transaction that may be included now or later, by geth's rules. */
  admit(raw: Uint8Array): Promise<Verdict>
  /**
   * What a proposal should carry: executable transactions by arrival, each sender's by nonce.
   *
   * @param maxBytes - of all of them, each with room for its envelope.
   * @param maxGas - sum of their gas limits; unless given, that of a block.
   */
  take(maxBytes: number, maxGas?: number): Uint8Array[]
  /** A block was executed: `results` says what became of each of its transactions. */
  committed(raws: readonly Uint8Array[], results: readonly TransactionResult[]): Promise<void>
  /** The nonce after everything executable of a sender; undefined when nothing of it waits. */
  pendingNonce(address: Hex): bigint | undefined
  /** A waiting transaction. */
  get(hash: Hex): PooledTransaction | undefined
  /** Why a transaction ended without being included, as long as it is remembered. */
  reasonOf(hash: Hex): string | undefined
  /** How many wait, and their bytes. */
  waiting(): number
  bytes(): number
  /** How many of them could be in the next block. */
  executable(): number
}

/** A waiting transaction and who signed it. */
export type PooledTransaction = { readonly transaction: EthereumTransaction; readonly from: Hex }

/** What a pool is made of. */
export type PoolOptions = {
  readonly engine: Pick<Engine, 'accounts'>
  readonly chain: L2Genesis
  readonly recover: Recover
  /** Recovers senders, maybe in another thread; absent: as `recover` does. */
  readonly recoverLater?: RecoverLater | undefined
}

/** Most transactions of all senders: about one minute of full blocks. */
export const maxWaiting = 8192
/** Most bytes of all of them: four full blocks. */
export const maxWaitingBytes = 4 * 1024 * 1024
/** Endings remembered, oldest forgotten first. */
const maxEnded = 16_384
/** Bytes that the ledger's envelope adds to a transaction, at most. */
const envelopeBytes = 64
/** Blocks that may leave a transaction out for passing reasons before it ends. */
const maxAttempts = 16

type Inside = {
  readonly engine: PoolOptions['engine']
  readonly recover: Recover
  readonly recoverLater: RecoverLater
  readonly rules: CheckRules
  readonly byHash: Map<Hex, Waiting>
  readonly senders: Map<Hex, SenderQueue>
  readonly ended: Map<Hex, string>
  /** How many waiting transactions would delegate an account. */
  readonly authorities: Map<Hex, number>
  bytes: number
  baseFee: bigint
  arrivals: number
  /** Counts blocks, so that an admission notices that its account is out of date. */
  generation: number
}

/** An empty pool over an engine's head. */
export function createPool({ engine, chain, recover, recoverLater }: PoolOptions): Pool {
  const pool: Inside = {
    engine,
    recover,
    recoverLater: recoverLater ?? (async (...signed) => recover(...signed)),
    rules: checkRules(chain),
    byHash: new Map(),
    senders: new Map(),
    ended: new Map(),
    authorities: new Map(),
    bytes: 0,
    baseFee: 0n,
    arrivals: 0,
    generation: 0,
  }
  return {
    admit: (raw) => admit(pool, raw),
    take: (maxBytes, maxGas = pool.rules.gasLimit) => take(pool, maxBytes, maxGas),
    committed: (raws, results) => committed(pool, raws, results),
    pendingNonce: (address) => {
      const queue = pool.senders.get(address)
      return queue && nextNonce(queue)
    },
    get: (hash) => {
      const waiting = pool.byHash.get(hash)
      return waiting && { transaction: waiting.transaction, from: waiting.sender }
    },
    reasonOf: (hash) => pool.ended.get(hash),
    waiting: () => pool.byHash.size,
    bytes: () => pool.bytes,
    executable: () => countExecutable(pool),
  }
}

async function admit(pool: Inside, raw: Uint8Array): Promise<Verdict> {
  const checked = checkEthereumTransaction(raw, pool.rules)
  if (!checked.ok) return checked
  const { transaction } = checked
  if (pool.byHash.has(transaction.hash)) return refused('AlreadyKnown', 'already known')
  const key = await senderLater(transaction, pool.recoverLater)
  if (!key) return refused('InvalidSender', 'invalid sender')
  const sender = toHex(key)
  for (;;) {
    const { generation } = pool
    const state = pool.senders.get(sender)?.state ?? (await stateOf(pool, sender))
    if (generation === pool.generation) return insert(pool, sender, state, transaction)
  }
}

async function stateOf(pool: Inside, address: Hex): Promise<AccountState> {
  const { generation } = pool
  const { accounts, nextBaseFee } = await pool.engine.accounts([address])
  if (generation === pool.generation) pool.baseFee = nextBaseFee
  return accounts[0] ?? noAccount
}

function insert(
  pool: Inside,
  sender: Hex,
  state: AccountState,
  transaction: EthereumTransaction,
): Verdict {
  if (pool.byHash.has(transaction.hash)) return refused('AlreadyKnown', 'already known')
  // Looked up only now: another admission of the sender may have come first.
  const queue = pool.senders.get(sender) ?? { address: sender, state, byNonce: new Map() }
  const refusal = queueRefusal(queue, transaction, pool.baseFee)
  if (refusal) return refusal
  const authorities = authoritiesOf(transaction, pool.rules.chainId, pool.recover)
  const reserved = delegationRefusal(
    queue,
    transaction.nonce,
    authorities,
    (account) => pool.authorities.has(account),
    (account) => pool.senders.get(account)?.byNonce.size ?? 0,
  )
  if (reserved) return reserved
  const old = queue.byNonce.get(transaction.nonce)
  const size = transaction.raw.length - (old?.transaction.raw.length ?? 0)
  const isFull =
    (!old && pool.byHash.size >= maxWaiting) || (size > 0 && pool.bytes + size > maxWaitingBytes)
  if (isFull && !makeRoom(pool, queue, transaction, size))
    return refused('PoolFull', 'txpool is full')
  if (old) end(pool, old, 'Replaced')
  const waiting: Waiting = {
    transaction,
    sender,
    arrival: pool.arrivals++,
    authorities,
    attempts: 0,
  }
  pool.senders.set(sender, queue)
  queue.byNonce.set(transaction.nonce, waiting)
  pool.byHash.set(transaction.hash, waiting)
  pool.bytes += transaction.raw.length
  for (const account of authorities) count(pool.authorities, account, 1)
  pool.ended.delete(transaction.hash)
  return { ok: true }
}

/** A full pool gives up its newest transactions behind gaps for one that can run at once. */
function makeRoom(
  pool: Inside,
  queue: SenderQueue,
  transaction: EthereumTransaction,
  size: number,
): boolean {
  if (transaction.nonce !== nextNonce(queue)) return false
  do {
    const newest = newestBehindGap(pool)
    if (!newest) return false
    end(pool, newest, 'Evicted')
  } while (pool.bytes + size > maxWaitingBytes)
  return true
}

function newestBehindGap(pool: Inside): Waiting | undefined {
  let newest: Waiting | undefined
  for (const queue of pool.senders.values()) {
    const next = nextNonce(queue)
    for (const waiting of queue.byNonce.values())
      if (waiting.transaction.nonce > next && waiting.arrival > (newest?.arrival ?? -1))
        newest = waiting
  }
  return newest
}

function countExecutable({ senders, baseFee }: Inside): number {
  let count = 0
  for (const queue of senders.values()) count += executable(queue, baseFee).length
  return count
}

/** Everything executable, by arrival; a later nonce never before an earlier one. */
function inOrder(pool: Inside): Waiting[] {
  const ranked: { waiting: Waiting; rank: number }[] = []
  for (const queue of pool.senders.values()) {
    let rank = 0
    for (const waiting of executable(queue, pool.baseFee)) {
      rank = Math.max(rank, waiting.arrival)
      ranked.push({ waiting, rank })
    }
  }
  // Ranks of different senders differ; equal ranks are of one sender, in the order of its nonces.
  return ranked.sort((a, b) => a.rank - b.rank).map(({ waiting }) => waiting)
}

function take(pool: Inside, maxBytes: number, maxGas: number): Uint8Array[] {
  const taken: Uint8Array[] = []
  const skipped = new Set<Hex>()
  let bytes = maxBytes
  let gas = maxGas
  for (const { sender, transaction } of inOrder(pool)) {
    const size = transaction.raw.length + envelopeBytes
    const fits = size <= bytes && transaction.gasLimit <= BigInt(gas)
    if (skipped.has(sender) || !fits) {
      skipped.add(sender)
      continue
    }
    bytes -= size
    gas -= Number(transaction.gasLimit)
    taken.push(transaction.raw)
  }
  return taken
}

async function committed(
  pool: Inside,
  raws: readonly Uint8Array[],
  results: readonly TransactionResult[],
): Promise<void> {
  raws.forEach((raw, i) => {
    const result = results[i]
    const waiting = result && pool.byHash.get(keccak256Hex(raw))
    if (!waiting) return
    if (result.ok) remove(pool, waiting)
    else if (!mayPass.has(result.reason) || ++waiting.attempts >= maxAttempts)
      end(pool, waiting, result.reason)
  })
  pool.generation++
  const addresses = [...pool.senders.keys()]
  const { accounts, nextBaseFee } = await pool.engine.accounts(addresses)
  pool.baseFee = nextBaseFee
  addresses.forEach((address, i) => {
    const queue = pool.senders.get(address)
    if (!queue) return
    queue.state = accounts[i] ?? noAccount
    revalidate(pool, queue)
  })
}

/** Reasons that the next block may not have; the account's own state then decides. */
const mayPass: ReadonlySet<string> = new Set([
  'NonceTooHigh',
  'NonceTooLow',
  'InsufficientFunds',
  'MaxFeeBelowBaseFee',
  'BlockGasExhausted',
])

/** Ends what the sender's new state rules out for good, or cannot pay for. */
function revalidate(pool: Inside, queue: SenderQueue): void {
  for (const waiting of [...queue.byNonce.values()]) {
    if (waiting.transaction.nonce < queue.state.nonce) end(pool, waiting, 'NonceTooLow')
    else if (maxCostOf(waiting.transaction) > queue.state.balance)
      end(pool, waiting, 'InsufficientFunds')
  }
}

function end(pool: Inside, waiting: Waiting, reason: string): void {
  remove(pool, waiting)
  setBounded(pool.ended, waiting.transaction.hash, reason, maxEnded)
}

function remove(pool: Inside, { transaction, sender, authorities }: Waiting): void {
  if (pool.byHash.delete(transaction.hash)) {
    pool.bytes -= transaction.raw.length
    for (const account of authorities) count(pool.authorities, account, -1)
  }
  const queue = pool.senders.get(sender)
  queue?.byNonce.delete(transaction.nonce)
  if (queue?.byNonce.size === 0) pool.senders.delete(sender)
}

/** Adds to a count; what is at 0 is not kept. */
function count(counts: Map<Hex, number>, name: Hex, change: number): void {
  const next = (counts.get(name) ?? 0) + change
  if (next === 0) counts.delete(name)
  else counts.set(name, next)
}
