import { createL1Client, rpcMessage } from '#ethereum'
import { DomainError, type Hex } from '#primitives'
import type { L1Anchor } from './network-file.ts'

/** The block by which a network knows its L1 again. */
export async function anchorOf(url: string, block: number): Promise<L1Anchor> {
  const { hash } = await createL1Client(url).getBlock({ blockNumber: BigInt(block) })
  return { block, hash }
}

/**
 * Sees that an L1 is the one that a network began on.
 *
 * @param folder - of the network, for the message.
 * @throws WrongL1Error
 */
export async function requireAnchor(url: string, anchor: L1Anchor, folder: string): Promise<void> {
  const found: Hex | string = await anchorOf(url, anchor.block).then(({ hash }) => hash, rpcMessage)
  if (found === anchor.hash) return
  throw new WrongL1Error(
    `${folder}: its L1 is another chain (block ${anchor.block}: ${found}): restore the folder from ` +
      'a copy, or name an empty one',
    { folder },
  )
}

/** The L1 that was started or found is not the one of the folder's network. */
export class WrongL1Error extends DomainError<'WrongL1', { folder: string }> {
  override readonly code = 'WrongL1'
}
