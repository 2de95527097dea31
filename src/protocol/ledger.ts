import { concatBytes, type Hex, sha256, type Table, toHex, type Wad, type Wei } from '#primitives'
import {
  type AllocationProgramme,
  type AllocationProposal,
  type CheckpointRecord,
  encode,
  type Leaf,
  type NonceCommitment,
  type Operator,
  type OperatorId,
  type OutboxDomain,
  type ServiceSpec,
  type Session,
  type Task,
} from '#records'
import { type Chain, chainCodec } from './chain.ts'

/** What never changes while the network lives: hashed into its id. */
export type Constants = {
  readonly network: Hex
  readonly domain: OutboxDomain
  /** Compressed group key, and signers that a certificate needs. */
  readonly groupKey: Hex
  readonly threshold: number
  /** Power of all operators at genesis: what may be taken from them is measured by it. */
  readonly power: bigint
}

/** How an operator has served a service: moving averages of facts, in [0, 1]. */
export type Score = {
  /** Share of drawn tasks that it committed in time. */
  readonly timeliness: Wad
  /** Share of its results that agreed with the outcome. */
  readonly agreement: Wad
  /** How fast it committed, against the median of its committees. */
  readonly latency: Wad
  /** Evidence of duties kept and broken, discounted up to `epoch`: what trust is made of. */
  readonly kept: Wad
  readonly broken: Wad
  readonly epoch: number
  readonly drawn: number
  readonly late: number
  readonly missing: number
  readonly outlying: number
  /** Results of its own that an audit confirmed, and contradicted. */
  readonly upheld: number
  readonly refuted: number
  readonly earned: Wei
}

/** A result whose leaf waits for execution on L1. */
export type Delivery = {
  readonly leafIndex: number
  readonly task: Hex
  /** Operator that recorded the covering checkpoint, and when; 0 before it landed. */
  readonly assignee: OperatorId
  readonly landedMs: number
}

/** An operator's published and unused nonce commitments. */
export type NoncePool = {
  /**
   * Index of the next one to publish. It never falls, not even for another instance: whatever
   * comes back to life, no index is ever published, and so signed with, twice.
   */
  readonly next: number
  readonly unused: readonly NonceCommitment[]
}

/** One epoch's competition for the best allocation. */
export type Competition = {
  readonly epoch: number
  readonly frozenMs: number
  readonly programme: AllocationProgramme
  /** The best that was verified; undefined before any. */
  readonly best: Contribution | undefined
}

/** A verified proposal, who sent it, and what it is worth; see `Worth`. */
export type Contribution = {
  readonly operator: OperatorId
  readonly proposal: AllocationProposal
  readonly objective: bigint
  readonly bound: bigint
}

/** How the places of a service were given lately. */
export type Turns = {
  /** Committees drawn, each epoch half of those before it: twice an epoch's in the long run. */
  readonly drawn: number
  /** What each operator is owed, in millionths of a place; negative when it had more. */
  readonly owed: ReadonlyMap<OperatorId, number>
}

/** A change of a parameter that was voted and takes effect later. */
export type ScheduledChange = { readonly value: bigint; readonly atMs: number }

/**
 * Everything that the network has decided, as a value: transitions make new ones and share what
 * they leave alone. Two operators with equal blocks have equal ledgers, and so equal app hashes.
 */
export type Ledger = {
  readonly constants: Constants
  readonly chain: Chain
  /** By decimal id. */
  readonly operators: Table<Operator>
  readonly services: Table<ServiceSpec>
  /** State of replicated services, by `service/key`. */
  readonly states: Table<Uint8Array>
  /** Fee accounts by address. */
  readonly accounts: Table<Wei>
  /** Open tasks, and ended ones until their ids may be forgotten. */
  readonly tasks: Table<Task>
  readonly endedTasks: Table<Task>
  /** Agreed tasks that wait for their lot, or are executed again; by the task's id. */
  readonly audits: Table<Task>
  /** By decimal index: the newest, and those that wait for delivery. */
  readonly leaves: Table<Leaf>
  readonly deliveries: Table<Delivery>
  readonly checkpoints: Table<CheckpointRecord>
  /** Open signing sessions, by checkpoint index. */
  readonly sessions: Table<Session>
  /** By operator; absent before it published any. */
  readonly nonces: Table<NoncePool>
  /** By `service/operator`. */
  readonly scores: Table<Score>
  /** `open`: takes proposals; `standing`: its winner is in force. Either may be absent. */
  readonly competitions: Table<Competition>
  /** By service. */
  readonly turns: Table<Turns>
  readonly parameters: Table<bigint>
  /** By `parameter/operator`. */
  readonly votes: Table<bigint>
  readonly scheduled: Table<ScheduledChange>
}

/** Tables in the order in which the app hash takes their roots. */
export const tableNames = [
  'operators',
  'services',
  'states',
  'accounts',
  'tasks',
  'endedTasks',
  'audits',
  'leaves',
  'deliveries',
  'checkpoints',
  'sessions',
  'nonces',
  'scores',
  'competitions',
  'turns',
  'parameters',
  'votes',
  'scheduled',
] as const satisfies readonly (keyof Ledger)[]

export type TableName = (typeof tableNames)[number]

/** SHA-256 over the encoded single values and every table's root: equal ledgers, equal hashes. */
export const appHash = (ledger: Ledger): Hex =>
  toHex(
    sha256(
      concatBytes(
        sha256(encode(chainCodec, ledger.chain)),
        ...tableNames.map((name) => ledger[name].root()),
      ),
    ),
  )

/** A new ledger with some single values replaced. */
export const withChain = (ledger: Ledger, changes: Partial<Chain>): Ledger => ({
  ...ledger,
  chain: { ...ledger.chain, ...changes },
})

/** The operator of an id, or undefined. */
export const operatorOf = (ledger: Ledger, id: OperatorId): Operator | undefined =>
  ledger.operators.get(String(id))

/** A new ledger in which one operator has changed. */
export const withOperator = (ledger: Ledger, operator: Operator): Ledger => ({
  ...ledger,
  operators: ledger.operators.set(String(operator.id), operator),
})

/** All operators in ascending order of id. */
export const operatorsOf = (ledger: Ledger): readonly Operator[] =>
  [...ledger.operators.values()].sort((a, b) => a.id - b.id)

/** The nonce pool of an operator; empty before it published any. */
export const noncePoolOf = (ledger: Ledger, id: OperatorId): NoncePool =>
  ledger.nonces.get(String(id)) ?? { next: 0, unused: [] }

/** Operators that draws, sessions and windows may choose. */
export const activeOperators = (ledger: Ledger): readonly Operator[] =>
  operatorsOf(ledger).filter(({ status }) => status === 'active')

/** Power of all operators. */
export const totalPower = (ledger: Ledger): bigint =>
  operatorsOf(ledger).reduce((sum, { power }) => sum + power, 0n)

/** Balance of a fee account; unknown accounts hold nothing. */
export const balanceOf = (ledger: Ledger, account: Hex): Wei =>
  ledger.accounts.get(account) ?? (0n as Wei)

/** A new ledger in which an account holds `balance`; empty accounts are not kept. */
export const withBalance = (ledger: Ledger, account: Hex, balance: Wei): Ledger => ({
  ...ledger,
  accounts:
    balance === 0n ? ledger.accounts.delete(account) : ledger.accounts.set(account, balance),
})
