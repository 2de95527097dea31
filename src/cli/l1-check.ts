import {
  createPublicClient,
  http,
  type Log,
  type PublicClient,
  parseEventLogs,
  TransactionReceiptNotFoundError,
} from 'viem'
import type { ProofView } from '#api'
import { outboxAbi, rpcMessage } from '#ethereum'
import type { Hex } from '#primitives'

/** What L1 says of a proof's root. */
export type L1Verdict =
  /** Recorded: proofs under it are accepted now, or it was recorded and has left the ring. */
  | { readonly ok: true; readonly isCurrent: boolean }
  | { readonly ok: false; readonly reason: L1Fault; readonly detail: string }

/** Why L1 does not confirm a root. */
export type L1Fault = 'L1Unreachable' | 'WrongL1Chain' | 'RootNotRecorded'

/** Parts of a proof that L1 is asked about. */
export type Recorded = {
  readonly checkpoint: NonNullable<ProofView['checkpoint']>
  readonly l1: NonNullable<ProofView['l1']>
}

/**
 * Asks an L1 node whether the Outbox has recorded the checkpoint. The ring keeps the last 256; for
 * older ones the event of the recording transaction says it.
 *
 * @param outbox - the contract that the caller trusts.
 */
export async function checkOnL1(
  url: string,
  outbox: Hex,
  { checkpoint, l1 }: Recorded,
): Promise<L1Verdict> {
  const client = createPublicClient({ transport: http(url, { retryCount: 0, timeout: 5_000 }) })
  try {
    const chainId = await client.getChainId()
    if (chainId !== l1.chainId) return refuse('WrongL1Chain', `${chainId}, not ${l1.chainId}`)
    const { index, size, root } = checkpoint
    const args = [BigInt(index), BigInt(size), root] as const
    const call = { address: outbox, abi: outboxAbi, functionName: 'isRecorded', args } as const
    if (await client.readContract(call).catch(() => false)) return { ok: true, isCurrent: true }
    const logs = await logsOf(client, l1.transaction)
    const isThere = parseEventLogs({ abi: outboxAbi, logs, eventName: 'CheckpointRecorded' }).some(
      ({ address, args: found }) =>
        address.toLowerCase() === outbox &&
        found.index === args[0] &&
        found.size === args[1] &&
        found.root === root,
    )
    return isThere ? { ok: true, isCurrent: false } : refuse('RootNotRecorded', `not in ${outbox}`)
  } catch (thrown) {
    return refuse('L1Unreachable', `${url}: ${rpcMessage(thrown)}`)
  }
}

/** What a transaction logged; nothing when L1 does not know it. */
async function logsOf(client: PublicClient, hash: Hex): Promise<Log[]> {
  try {
    return (await client.getTransactionReceipt({ hash })).logs
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return []
    throw error
  }
}

const refuse = (reason: L1Fault, detail: string): L1Verdict => ({ ok: false, reason, detail })
