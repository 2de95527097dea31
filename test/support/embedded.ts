import type { EngineStatus, Transport } from '#consensus'
import type { OperatorOptions, RunningOperator } from '#node'
import { assert } from '#primitives'

/** All that an operator's embedded engine says of itself; another engine says less. */
export function embeddedStatus({ engine }: Pick<RunningOperator, 'engine'>): EngineStatus {
  const status = engine.status()
  assert('phase' in status, 'an embedded engine')
  return status as EngineStatus
}

/** What operators of an embedded network reach each other by. */
export function transportOf({ consensus }: Pick<OperatorOptions, 'consensus'>): Transport {
  assert(consensus.engine === 'embedded', 'an embedded engine')
  return consensus.transport
}
