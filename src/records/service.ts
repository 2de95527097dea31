import type { Hex, Wei } from '#primitives'
import { type Capability, capabilitiesCodec } from './capability.ts'
import {
  address,
  type Codec,
  oneOf,
  optional,
  record,
  text,
  uint16,
  uint32,
  uint256,
} from './codec.ts'

/** Short name of a service, ASCII, at most 31 bytes; `bytes32` on L1, padded with zeros. */
export type ServiceName = string

/** Most services in a network. */
export const maxServices = 64

/** How operators execute it: all inside the block, or a drawn committee off-chain. */
export const serviceModes = ['replicated', 'assigned'] as const
export type ServiceMode = (typeof serviceModes)[number]

/** How the results of a committee become one. A leaf states it by its index. */
export const agreementRules = ['replicated', 'exact', 'median', 'trimmed', 'mean'] as const
export type AgreementRule = (typeof agreementRules)[number]

/** What the network knows of a service. */
export type ServiceSpec = {
  readonly name: ServiceName
  readonly mode: ServiceMode
  readonly rule: AgreementRule
  /** Committee size of an assigned service; fewer operators than that: all of them. */
  readonly committee: number
  /** Price of one task, reserved when it is accepted. */
  readonly fee: Wei
  /** How long a committee has to commit, then to reveal. */
  readonly commitMs: number
  readonly revealMs: number
  /** Results farther than this from the agreed one are outliers, in 1/10,000 of it. */
  readonly toleranceBps: number
  /**
   * How far the result of a later execution may honestly be, in 1/10,000 of it; 0 by the rule
   * `exact`. Undefined: nobody can execute a task again, and none is audited.
   */
  readonly auditToleranceBps: number | undefined
  /** What a member's machine must have. */
  readonly requires: readonly Capability[]
  /** L1 contract that results are delivered to; zero for none. */
  readonly consumer: Hex
}

export const serviceSpecCodec: Codec<ServiceSpec> = record({
  name: text(31),
  mode: oneOf(serviceModes),
  rule: oneOf(agreementRules),
  committee: uint16,
  fee: uint256<Wei>(),
  commitMs: uint32,
  revealMs: uint32,
  toleranceBps: uint16,
  auditToleranceBps: optional(uint16),
  requires: capabilitiesCodec,
  consumer: address,
})
