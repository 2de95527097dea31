import { DomainError } from '#primitives'

/** A call of an application, as far as its order matters. `info` is free at any time. */
export type Call =
  /** The engine starts, or starts again; the application has committed up to this height. */
  | { readonly call: 'start'; readonly height: number }
  | { readonly call: 'initChain' }
  | {
      readonly call: 'prepareProposal' | 'processProposal' | 'finalizeBlock'
      readonly height: number
    }
  | { readonly call: 'commit' }

/**
 * Where an engine stands in the order of calls. `height` is the application's last committed one;
 * `executed` says that the next is finalized and waits for its commit.
 */
export type GrammarState =
  | { readonly at: 'stopped' }
  | { readonly at: 'fresh' | 'between' | 'executed'; readonly height: number }

/** Before the first start. */
export const beforeStart: GrammarState = { at: 'stopped' }

/**
 * The state after a call, by the order that ABCI 2.0 lays down: a chain without blocks is
 * initialised once; then, height by height, any number of proposals is made and judged, one block
 * is finalized, and it is committed before anything else. An engine may end anywhere and start
 * again.
 *
 * @throws CallOutOfOrderError
 * @see CometBFT, the specification of ABCI, its chapter on expected behaviour
 */
export function afterCall(state: GrammarState, call: Call): GrammarState {
  if (call.call === 'start')
    return { at: call.height === 0 ? 'fresh' : 'between', height: call.height }
  if (state.at === 'stopped') throw outOfOrder(state, call)
  const { at, height } = state
  switch (call.call) {
    case 'initChain':
      if (at !== 'fresh') throw outOfOrder(state, call)
      return { at: 'between', height }
    case 'prepareProposal':
    case 'processProposal':
    case 'finalizeBlock': {
      if (at !== 'between' || call.height !== height + 1) throw outOfOrder(state, call)
      return { at: call.call === 'finalizeBlock' ? 'executed' : 'between', height }
    }
    case 'commit':
      if (at !== 'executed') throw outOfOrder(state, call)
      return { at: 'between', height: height + 1 }
  }
}

/** Follows a whole log; the first call out of order is an error that names its place. */
export function checkCalls(log: readonly Call[]): GrammarState {
  return log.reduce(afterCall, beforeStart)
}

function outOfOrder(state: GrammarState, call: Call): CallOutOfOrderError {
  const what = 'height' in call ? `${call.call} of height ${call.height}` : call.call
  const where = state.at === 'stopped' ? 'before the start' : `${state.at} at ${state.height}`
  return new CallOutOfOrderError(`${what} is out of order: ${where}`, { call, state })
}

/** An engine called its application in an order that cannot be. */
export class CallOutOfOrderError extends DomainError<
  'CallOutOfOrder',
  { readonly call: Call; readonly state: GrammarState }
> {
  override readonly code = 'CallOutOfOrder'
}
