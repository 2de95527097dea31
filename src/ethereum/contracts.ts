import {
  type Abi,
  BaseError,
  ContractFunctionRevertedError,
  decodeErrorResult,
  ExecutionRevertedError,
  encodeFunctionData,
} from 'viem'
import type { Hex } from '#primitives'
import { type Checkpoint, type Leaf, leafTuple, type OperatorId, packSubmitters } from '#records'
import { outboxArtifact, priceConsumerArtifact, serviceManagerArtifact } from './artifacts/index.ts'

/** Interface of the Outbox: checkpoints, windows, execution by proof. */
export const outboxAbi = outboxArtifact.abi

/** Interface of the ServiceManager: services, deposits, delivery. */
export const serviceManagerAbi = serviceManagerArtifact.abi

/** Interface of the PriceConsumer: prices that the network agreed on. */
export const priceConsumerAbi = priceConsumerArtifact.abi

/** A group signature as L1 takes it: the point R, uncompressed, and the response z. */
export type L1Signature = { readonly rx: bigint; readonly ry: bigint; readonly z: bigint }

/** The recorded checkpoint under whose root a proof holds. */
export type RecordedRoot = Pick<Checkpoint, 'index' | 'size' | 'root'>

/** A checkpoint as the tuple of the contract's `Checkpoint` struct. */
export const checkpointTuple = (checkpoint: Checkpoint) => ({
  index: BigInt(checkpoint.index),
  size: BigInt(checkpoint.size),
  root: checkpoint.root,
  start: BigInt(checkpoint.startS),
  window: checkpoint.windowS,
  submitters: packSubmitters(checkpoint.submitters),
})

/** Arguments of `Outbox.submit`. */
export const submitArguments = (
  checkpoint: Checkpoint,
  { rx, ry, z }: L1Signature,
  operator: OperatorId,
) => [checkpointTuple(checkpoint), rx, ry, z, operator] as const

/** Arguments of `Outbox.execute`. */
export const executeArguments = (leaf: Leaf, siblings: readonly Hex[], under: RecordedRoot) =>
  [leafTuple(leaf), siblings, BigInt(under.index), BigInt(under.size), under.root] as const

/** Call data of `Outbox.submit`. */
export const encodeSubmit = (...args: Parameters<typeof submitArguments>): Hex =>
  encodeFunctionData({ abi: outboxAbi, functionName: 'submit', args: submitArguments(...args) })

/** Call data of `Outbox.execute`. */
export const encodeExecute = (...args: Parameters<typeof executeArguments>): Hex =>
  encodeFunctionData({ abi: outboxAbi, functionName: 'execute', args: executeArguments(...args) })

/** Call data of `Outbox.executeMany`; `siblings[i]` proves `leaves[i]`. */
export const encodeExecuteMany = (
  leaves: readonly Leaf[],
  siblings: readonly (readonly Hex[])[],
  under: RecordedRoot,
): Hex =>
  encodeFunctionData({
    abi: outboxAbi,
    functionName: 'executeMany',
    args: [leaves.map(leafTuple), siblings, BigInt(under.index), BigInt(under.size), under.root],
  })

/** What a call through the Outbox can revert with: its own errors, and those of what it calls. */
export const outboxCallAbi = [...outboxAbi, ...errorsOf(serviceManagerAbi)] as const

function errorsOf<const Items extends Abi>(abi: Items) {
  return abi.filter(
    (item): item is Extract<Items[number], { type: 'error' }> => item.type === 'error',
  )
}

/**
 * The name of the contract error that a simulated or estimated call reverted with.
 *
 * @returns 'Reverted' when the revert has no known name; undefined when the error is no revert.
 */
export function revertName(error: unknown): string | undefined {
  if (!(error instanceof BaseError)) return undefined
  const reverts = [ContractFunctionRevertedError, ExecutionRevertedError] as const
  if (!error.walk((cause) => reverts.some((kind) => cause instanceof kind))) return undefined
  try {
    return decodeErrorResult({ abi: outboxCallAbi, data: revertData(error) }).errorName
  } catch {
    return 'Reverted' // no data, or an error of a contract that is not ours
  }
}

function revertData(error: BaseError): Hex {
  let data: unknown
  error.walk((cause) => {
    for (const key of ['raw', 'data'])
      if (typeof (cause as Record<string, unknown>)[key] === 'string')
        data ??= (cause as Record<string, unknown>)[key]
    return data !== undefined
  })
  return typeof data === 'string' ? (data as Hex) : '0x'
}
