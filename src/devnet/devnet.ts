import type { RunningOperator } from '#node'
import type { Logger } from '#primitives'
import type { Genesis, OperatorId } from '#records'
import type { PriceFeeds } from './feeds.ts'
import type { L1Process } from './l1.ts'
import type { L1Link } from './l1-link.ts'
import type { DevnetOperator } from './network.ts'
import type { DevnetOptions } from './options.ts'
import type { Slowness } from './slowness.ts'

/** A running network on one machine. */
export type Devnet<Operator extends Reached = Reached> = {
  readonly genesis: Genesis
  readonly l1: L1Process
  /** With chaos `l1-down`: what the operators reach L1 by. */
  readonly link: L1Link | undefined
  /** With chaos `slow`: whether the slow operator is slow. */
  readonly slowness: Slowness
  readonly feeds: PriceFeeds
  /** In order of their start; one that is stopped keeps its place until it is started again. */
  readonly operators: ReadonlyMap<OperatorId, Operator>
  readonly gateways: () => readonly string[]
  /** Rejects when L1 ends by itself: nothing that is accepted can come to it any more. */
  readonly l1Lost: Promise<never>
  /** Ends one operator, and starts it again on its folder. */
  stopOperator(id: OperatorId): Promise<void>
  startOperator(id: OperatorId): Promise<void>
  /** Ends everything; the folder of a network without `--data` goes with it. */
  stop(): Promise<void>
}

/** An operator as its clients know it. */
export type Reached = { readonly url: string }

/** A network whose operators are in this process. */
export type EmbeddedDevnet = Devnet<RunningOperator>

/** What is there when the operators are started. */
export type Surroundings = {
  readonly options: DevnetOptions
  readonly members: readonly DevnetOperator[]
  readonly genesis: Genesis
  readonly folder: string
  /** Whether the network was made by this run: its operators have signed nothing. */
  readonly isNew: boolean
  readonly feeds: PriceFeeds
  readonly l1: L1Process
  readonly l1Lost: Promise<never>
  readonly link: L1Link | undefined
  readonly slowness: Slowness
  readonly logger: Logger
}

/** The operators of a devnet, however they run. */
export type Operators<Operator extends Reached = Reached> = {
  readonly running: ReadonlyMap<OperatorId, Operator>
  /** Starts those that are named; they do not wait for each other. */
  start(ids: readonly OperatorId[]): Promise<void>
  stop(id: OperatorId): Promise<void>
  stopAll(): Promise<void>
}
