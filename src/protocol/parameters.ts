import type { Ledger } from './ledger.ts'

/** A governed parameter: its value at genesis and the bounds that a vote must respect. */
type Definition = {
  readonly initial: bigint
  readonly min: bigint
  readonly max: bigint
}

const define = (initial: number, min: number, max: number): Definition => ({
  initial: BigInt(initial),
  min: BigInt(min),
  max: BigInt(max),
})

/**
 * Every parameter that lives in the ledger and changes by vote; the unit ends its name. Two that
 * belong together have bounds that keep them apart, so that no vote can set them against each
 * other.
 */
export const parameterDefinitions = {
  /** Least time between two checkpoints. */
  checkpointIntervalMs: define(1_000, 100, 3_600_000),
  /** Time from the cut to the opening of the first submission window: room for signing. */
  windowMarginMs: define(1_000, 0, 600_000),
  /** Length of one submission window: at least two L1 slots. */
  windowS: define(4, 2, 3_600),
  /** A missed window counts only if the certificate stood this long before its end. */
  missMarginMs: define(2_000, 0, 600_000),
  /** A signing session is late after this time, and after this many blocks. */
  sessionMs: define(1_500, 200, 600_000),
  sessionBlocks: define(3, 2, 100),
  /** Nonce commitments an operator keeps published, and the level below which it adds more. */
  noncesPublished: define(16, 16, 64),
  noncesLow: define(8, 1, 15),
  /**
   * L1 blocks, the newest included, after which an event counts: a reorganisation of fewer blocks
   * goes unnoticed, a deeper one freezes what L1 drives.
   */
  l1DepthBlocks: define(1, 1, 1_024),
  /** Time that the submitter of a checkpoint has for delivering its leaves before anyone may. */
  deliveryGraceMs: define(8_000, 1_000, 600_000),
  /** Time after which a task ends although nobody could deliver its result. */
  deliveryLimitMs: define(3_600_000, 1_200_000, 2_592_000_000),
  /** Length of an epoch. */
  epochMs: define(10_000, 1_000, 604_800_000),
  /** Time before an epoch's end in which operators compete for its allocation. */
  allocationLeadMs: define(3_000, 100, 86_400_000),
  /** Largest gap between a proposal and the best there can be, relative, in millionths. */
  allocationGapPpm: define(100, 1, 100_000),
  /** Places that one operator can take in an epoch. */
  epochPlaces: define(100_000, 1, 1_000_000_000),
  /** Most of a place's value that a declared cost counts for. */
  costCapPpm: define(500_000, 0, 1_000_000),
  /** Largest part of a service's places for operators of one declared group. */
  groupSharePpm: define(333_333, 1, 1_000_000),
  /** How soon work moves: utility that a full share of all work costs, against a place's value. */
  spreadPpm: define(500_000, 1_000, 10_000_000),
  /** Weight of agreement in utility; the rest is that of timeliness and latency. */
  agreementWeightPpm: define(500_000, 0, 1_000_000),
  /** How likely harm is by an operator that is not trusted at all. */
  corruptionPpm: define(100_000, 0, 1_000_000),
  /** Changes of utility below this, against a place's value, move nothing. */
  deadBandPpm: define(50_000, 0, 500_000),
  /** So often, in epochs, small changes count too: else those who were apart once would stay so. */
  refreshEpochs: define(8, 1, 10_000),
  /** Least share of any operator, against that of equal shares: how the fallen can recover. */
  probePpm: define(150_000, 0, 1_000_000),
  /** Part of the agreed tasks that are executed again by others. */
  auditPpm: define(20_000, 0, 1_000_000),
  /** Delay between a passed vote and its effect. */
  voteDelayMs: define(10_000, 0, 2_592_000_000),
  /** Farthest that a task's `validUntilMs` may lie ahead: how long its id is remembered. */
  taskHorizonMs: define(3_600_000, 1_000, 86_400_000),
} as const satisfies Record<string, Definition>

export type ParameterName = keyof typeof parameterDefinitions

/** Every parameter's name, in alphabetical order. */
export const parameterNames = Object.keys(parameterDefinitions).sort() as ParameterName[]

/** Whether a name is that of a governed parameter. */
export const isParameter = (name: string): name is ParameterName =>
  (parameterNames as readonly string[]).includes(name)

/** Whether a value lies within the parameter's bounds. */
export const isWithinBounds = (name: ParameterName, value: bigint): boolean =>
  value >= parameterDefinitions[name].min && value <= parameterDefinitions[name].max

/** The value in force, as a safe integer. */
export const parameter = (ledger: Ledger, name: ParameterName): number =>
  Number(ledger.parameters.get(name) ?? parameterDefinitions[name].initial)
