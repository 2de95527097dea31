import type { AgreementRule, Capability } from '#records'

/** A network to be tried: who serves what, and what happens to it. One file of JSON. */
export type Scenario = {
  readonly name: string
  /** Epochs of the ledger that are lived through. */
  readonly epochs: number
  readonly epochMs: number
  readonly blockMs: number
  readonly seed: number
  /** Governed parameters that differ from their first values. */
  readonly parameters: readonly { readonly name: string; readonly value: number }[]
  readonly operators: readonly ScenarioOperator[]
  readonly services: readonly ScenarioService[]
  readonly events: readonly ScenarioEvent[]
}

/** What an operator is like; events change it. */
export type Traits = {
  /** Committee places that it can fill in an epoch; more of them wait for each other. */
  readonly capacity: number
  /** Time that it takes for a place, ± a fifth. */
  readonly speedMs: number
  /** What a place costs it. */
  readonly cost: number
  /** Chance that it never answers a place, and that it reports ten times the truth. */
  readonly failure: number
  readonly lie: number
  /**
   * Chance, one for all who have it, that those who collude report ten times the truth together,
   * where they are more than two thirds of a committee.
   */
  readonly collude: number
  /** What it declares, where that is not the truth. */
  readonly declaredCapacity: number | undefined
  readonly declaredCost: number | undefined
}

/** An operator of a scenario. */
export type ScenarioOperator = Traits & {
  readonly name: string
  readonly capabilities: readonly Capability[]
  /** Name of its declared group; empty: none. */
  readonly group: string
  /** The epoch in which it joins; 0: it is there from the beginning. */
  readonly joins: number
}

/** A service of a scenario. Money is in any unit; amounts count against each other. */
export type ScenarioService = {
  readonly name: string
  readonly rule: Exclude<AgreementRule, 'replicated'>
  readonly committee: number
  /** Price of a task. */
  readonly fee: number
  readonly commitMs: number
  readonly revealMs: number
  readonly toleranceBps: number
  /** How far the result of an audit may be from the agreed one. */
  readonly auditToleranceBps: number
  /** How far honest results are from the truth at most, in 1/10,000 of it. */
  readonly noiseBps: number
  readonly requires: readonly Capability[]
  /** Tasks asked for in an epoch. */
  readonly demand: number
}

/**
 * What happens at the beginning of an epoch. Who leaves is no member any more and is drawn no more;
 * who stops stays one, and says nothing.
 */
export type ScenarioEvent =
  | {
      readonly kind: 'operators'
      readonly epoch: number
      /** Places in `operators`. */
      readonly operators: readonly number[]
      readonly does: 'change' | 'join' | 'leave' | 'stop' | 'start'
      readonly changes: Partial<Traits>
    }
  | {
      readonly kind: 'demand'
      readonly epoch: number
      /** Place in `services`. */
      readonly service: number
      readonly demand: number
    }
