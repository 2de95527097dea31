import { ByteListType } from '@chainsafe/ssz'
import { assert } from '#primitives'
import { type Codec, list, record, text, uint16, uint64 } from './codec.ts'
import type { OperatorId } from './operator.ts'
import type { ServiceName } from './service.ts'

/** One, in the millionths in which the ledger counts shares, utilities and prices. */
export const micro = 1_000_000

/** Most operators, classes of tasks (one a service) and kinds of resources in one programme. */
export const maxAllocationOperators = 256
export const maxAllocationClasses = 256
export const maxResources = 8

/**
 * The frozen inputs of one epoch's allocation, N operators by M classes of tasks: all that solving
 * and verifying need, in whole numbers. Matrices have a row an operator.
 *
 * A share y is the part of a class's tasks whose committee an operator sits in. Wanted is the most
 * of Σ jobs · (Σ u y − ½ q Σ y² − P s) within: Σ_i y + s = seats for each class; Σ_τ use · jobs · y
 * ≤ capacity for each operator and resource; 0 ≤ y ≤ cap; Σ_i (stake − floor) y ≥ 0 for each class;
 * Σ_{i in a group} y ≤ groupShare · seats.
 */
export type AllocationProgramme = {
  /** Shape [N], ascending. */
  readonly operators: readonly OperatorId[]
  /** Shape [M], the class of each service; ascending. */
  readonly services: readonly ServiceName[]
  /** Shape [M]: tasks expected in an epoch, and committee places of each. */
  readonly jobs: Int32Array
  readonly seats: Int32Array
  /** u, shape [N × M], millionths of money for a place. */
  readonly utility: Int32Array
  /** Shape [N × M], millionths; 0 where an operator lacks what the service requires. */
  readonly cap: Int32Array
  /** q and P, shape [M], millionths of money. */
  readonly congestion: Int32Array
  readonly shortfallPrice: Int32Array
  /** Shapes [K × N] and [K × M], units of each resource: what an epoch and a place take. */
  readonly capacity: Int32Array
  readonly use: Int32Array
  /** Shapes [N] and [M], millionths of the largest stake. */
  readonly stake: Int32Array
  readonly stakeFloor: Int32Array
  /** Shape [N]: the declared group of each operator from 0, or −1; and how many there are. */
  readonly group: Int32Array
  readonly groups: number
  /** Shape [M], millionths of all places. */
  readonly groupShare: Int32Array
}

/** An allocation that somebody proposes, with the prices that prove how good it is. */
export type AllocationProposal = {
  /** The competition that it enters. */
  readonly epoch: number
  /** Shape [N + 1]: where each operator's entries start. */
  readonly start: Int32Array
  /** Each positive share: class · 2^20 + millionths, rising within a row. */
  readonly entries: Int32Array
  /** Shape [M], millionths of a place that nobody takes. */
  readonly shortfall: Int32Array
  /** λ, shape [K × N], millionths of money a unit of the resource; not negative. */
  readonly capacityPrice: Int32Array
  /** μ, shape [M], millionths of money a place: what one more would earn; negative at a loss. */
  readonly demandPrice: Int32Array
  /** σ, shape [M], millionths of money for a stake more; not negative. */
  readonly stakePrice: Int32Array
  /** ν, shape [groups × M], millionths of money a place; not negative. */
  readonly groupPrice: Int32Array
}

/** Bits of an entry that hold its share. */
export const entryScale = 2 ** 20

/** Whole numbers of four bytes, big-endian, two's complement. */
export const int32s = (limit: number): Codec<Int32Array> => ({
  ssz: new ByteListType(4 * limit),
  toSsz: (values: Int32Array) => {
    assert(values.length <= limit, `at most ${limit} numbers`)
    const bytes = new Uint8Array(4 * values.length)
    const view = new DataView(bytes.buffer)
    for (const [place, value] of values.entries()) view.setInt32(4 * place, value)
    return bytes
  },
  fromSsz: (bytes: Uint8Array) => {
    if (bytes.length % 4 !== 0) throw new Error('not whole numbers')
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return Int32Array.from({ length: bytes.length / 4 }, (_, place) => view.getInt32(4 * place))
  },
})

const perOperator = int32s(maxAllocationOperators)
const perClass = int32s(maxAllocationClasses)
const perPair = int32s(maxAllocationOperators * maxAllocationClasses)

export const allocationProgrammeCodec: Codec<AllocationProgramme> = record({
  operators: list(uint16, maxAllocationOperators),
  services: list(text(31), maxAllocationClasses),
  jobs: perClass,
  seats: perClass,
  utility: perPair,
  cap: perPair,
  congestion: perClass,
  shortfallPrice: perClass,
  capacity: int32s(maxResources * maxAllocationOperators),
  use: int32s(maxResources * maxAllocationClasses),
  stake: perOperator,
  stakeFloor: perClass,
  group: perOperator,
  groups: uint16,
  groupShare: perClass,
})

/**
 * Most bytes of a proposal: all pairs, all prices, every operator in a group of its own, and the
 * offsets before them.
 */
export const maxProposalBytes =
  4 * (2 * maxAllocationOperators * maxAllocationClasses + 3 * maxAllocationClasses) +
  4 * (maxAllocationOperators + 1 + maxResources * maxAllocationOperators) +
  64

export const allocationProposalCodec: Codec<AllocationProposal> = record({
  epoch: uint64,
  start: int32s(maxAllocationOperators + 1),
  entries: perPair,
  shortfall: perClass,
  capacityPrice: int32s(maxResources * maxAllocationOperators),
  demandPrice: perClass,
  stakePrice: perClass,
  groupPrice: perPair,
})
