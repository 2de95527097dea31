import type { Hex } from '#primitives'
import type { Leaf, OperatorId, ServiceSpec, TransactionResult, Verdict } from '#records'

/**
 * A replicated service's state: its own namespace of the ledger, keys and values of its choosing.
 */
export type ServiceState = {
  get(key: string): Uint8Array | undefined
  set(key: string, value: Uint8Array): ServiceState
  delete(key: string): ServiceState
}

/** What a service may know of the block it executes in: committed values only. */
export type ServiceBlock = {
  readonly height: number
  readonly timeMs: number
  /** The ledger's randomness after this block's proof, 32 bytes. */
  readonly randomness: Hex
}

/** What a service wants in the outbox; the ledger adds position and weights. */
export type LeafDraft = Pick<Leaf, 'kind' | 'subject' | 'body'>

/**
 * A service whose every operator executes inside the block. All functions are pure; what is slow or
 * asynchronous is the computation between `begin` and `end`, keyed by the digest of its input.
 */
export type ReplicatedService = {
  readonly spec: ServiceSpec & { readonly mode: 'replicated' }
  /** The first state, from the service's part of the genesis. */
  readonly initial: (empty: ServiceState, genesis: Uint8Array) => ServiceState
  /** Refuses what is malformed whatever the state: signatures, bounds, chain id. */
  readonly check: (payload: Uint8Array) => Verdict
  /**
   * Input of the computation for this block's calls, in their order; never called without calls.
   */
  readonly begin: (
    state: ServiceState,
    block: ServiceBlock,
    calls: readonly Uint8Array[],
  ) => Uint8Array
  /** The state after it, the leaves it adds, and one result a call. */
  readonly end: (
    state: ServiceState,
    output: Uint8Array,
  ) => {
    readonly state: ServiceState
    readonly leaves: readonly LeafDraft[]
    readonly results: readonly TransactionResult[]
  }
}

/** What a committee member has revealed. */
export type Revealed = {
  readonly operator: OperatorId
  readonly weight: number
  readonly result: Uint8Array
}

/** A service that a drawn committee executes off-chain. */
export type AssignedService = {
  readonly spec: ServiceSpec & { readonly mode: 'assigned' }
  /** Refuses a task whose payload it cannot serve. */
  readonly check: (payload: Uint8Array) => Verdict
  /** Whether a revealed result is well-formed for this payload. */
  readonly checkResult: (payload: Uint8Array, result: Uint8Array) => Verdict
  /** Bytes of a result as the number that the `median` rule orders; unused by `exact`. */
  readonly toNumber: (result: Uint8Array) => bigint
  readonly fromNumber: (value: bigint) => Uint8Array
  /** Content of the leaf, ABI encoded for the consumer. */
  readonly leafBody: (payload: Uint8Array, result: Uint8Array, timeMs: number) => Uint8Array
}

/** A service as one value: how it executes decides which of the two shapes it has. */
export type Service = ReplicatedService | AssignedService

/** The services that a binary knows, by name. */
export type Services = ReadonlyMap<string, Service>
