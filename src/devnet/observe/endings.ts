import type { Hex } from '#primitives'
import type { Rpc } from '../load/rpc.ts'
import { askEach } from './ask.ts'

/**
 * Why accepted transactions or tasks will never be in a block, for those of which a gateway has
 * recorded a reason and which none still holds. Each gateway is asked: only the one that accepted
 * may remember.
 *
 * @param gateways - a connection to each gateway alone.
 */
export async function findEndings(
  gateways: readonly Rpc[],
  subjects: readonly Hex[],
): Promise<ReadonlyMap<Hex, string>> {
  const answers = await Promise.all(
    gateways.map((gateway) => askEach(gateway, 'nodeop_getProof', subjects)),
  )
  const endings = new Map<Hex, string>()
  for (const [place, subject] of subjects.entries()) {
    const proofs = answers.flatMap((proofs) => proofs[place] ?? [])
    const refused = proofs.find(({ status }) => status === 'refused')
    const isHeld = proofs.some(({ status }) => status !== 'refused' && status !== 'unknown')
    if (refused && !isHeld) endings.set(subject, refused.reason ?? 'NoReason')
  }
  return endings
}
