import type { EVM, EVMOpts } from '@ethereumjs/evm'
import { DomainError } from '#primitives'

type CustomOpcode = NonNullable<EVMOpts['customOpcodes']>[number]

/** Whether what is being computed shall end. Asked at every step of a loop: it has to be cheap. */
export type IsStopped = () => boolean

/** What nothing stops. */
export const neverStopped: IsStopped = () => false

/** @throws QueryStoppedError once it shall end. */
export function goOn(isStopped: IsStopped): void {
  if (isStopped()) throw new QueryStoppedError('the query was stopped', {})
}

/**
 * JUMPDEST as it is, with a look at whether to go on: every loop passes one. The library's own hook
 * for each step copies stack and memory, which takes longer than the step.
 */
export const stoppableJumpdest = (isStopped: IsStopped): CustomOpcode => ({
  opcode: 0x5b,
  opcodeName: 'JUMPDEST',
  baseFee: 1,
  logicFunction: () => goOn(isStopped),
})

/** The same look at every message: what does not loop can still call itself without end. */
export const stoppableMessages = (evm: EVM, isStopped: IsStopped): void =>
  void evm.events.on('beforeMessage', () => goOn(isStopped))

/** A query ended because nobody waits for it any more. Its client knows why. */
export class QueryStoppedError extends DomainError<'QueryStopped', object> {
  override readonly code = 'QueryStopped'
}
