import { type Log, parseEventLogs } from 'viem'
import { DomainError, type Hex } from '#primitives'
import type { L1Event } from '#records'
import { outboxAbi, serviceManagerAbi } from './contracts.ts'

/** The contracts whose events the ledger wants to know. */
export type L1Contracts = { readonly outbox: Hex; readonly serviceManager: Hex }

/**
 * The relevant events among a node's logs, in the order of L1: block, then log index.
 *
 * @throws L1DataError when a log is not what a node may answer with.
 */
export function toL1Events(contracts: L1Contracts, logs: readonly Log[]): L1Event[] {
  return logs
    .flatMap((log) => toL1Event(contracts, log))
    .sort((a, b) => a.block - b.block || a.logIndex - b.logIndex)
}

function toL1Event(contracts: L1Contracts, log: Log): L1Event[] {
  switch (lower(log.address)) {
    case lower(contracts.outbox):
      return outboxEvent(log)
    case lower(contracts.serviceManager):
      return managerEvent(log)
    default:
      return []
  }
}

function outboxEvent(log: Log): L1Event[] {
  const [event] = parseEventLogs({ abi: outboxAbi, logs: [log] })
  switch (event?.eventName) {
    case 'CheckpointRecorded':
      return [
        {
          kind: 'checkpoint-recorded',
          ...positionOf(log),
          index: toSafe(event.args.index),
          size: toSafe(event.args.size),
          root: lower(event.args.root),
          submitter: lower(event.args.submitter),
          operator: event.args.operator,
          window: event.args.window,
          timeS: toSafe(event.args.time),
        },
      ]
    case 'LeafExecuted':
      return [
        {
          kind: 'leaf-executed',
          ...positionOf(log),
          leafIndex: toSafe(event.args.leafIndex),
          subject: lower(event.args.subject),
          success: event.args.success,
          executor: lower(event.args.executor),
        },
      ]
    default:
      return []
  }
}

function managerEvent(log: Log): L1Event[] {
  const [event] = parseEventLogs({ abi: serviceManagerAbi, logs: [log] })
  if (event?.eventName !== 'Deposited') return []
  const { account, amount } = event.args
  return [{ kind: 'deposited', ...positionOf(log), account: lower(account), amountWei: amount }]
}

function positionOf(log: Log) {
  if (log.blockNumber === null || log.transactionHash === null || log.logIndex === null)
    throw new L1DataError('a log without its place in a block', { what: 'log' })
  return {
    block: toSafe(log.blockNumber),
    transaction: lower(log.transactionHash),
    logIndex: log.logIndex,
  }
}

/** An integer of L1 as a number. @throws L1DataError when it is not a safe one. */
export function toSafe(value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new L1DataError('an integer beyond 2^53', { what: value.toString() })
  return Number(value)
}

/** Hex as records write it. */
export const lower = (hex: Hex): Hex => hex.toLowerCase() as Hex

/** The L1 node answered with something that no chain of ours can hold. */
export class L1DataError extends DomainError<'BadL1Data', { what: string }> {
  override readonly code = 'BadL1Data'
}
