import { setTimeout as pause } from 'node:timers/promises'
import type { Client, ProofView } from '#api'
import type { Hex } from '#primitives'

/** Where a task stood when it was last looked at, and whether it had ended. */
export type Followed = { readonly proof: ProofView; readonly isOver: boolean }

/** Time between two looks: a block or so. */
const lookMs = 250

/**
 * Watches a task until it is settled, expired or refused, or the time is over.
 *
 * @param tell - told every step once, in words.
 */
export async function followTask(
  client: Client,
  id: Hex,
  timeoutMs: number,
  tell: (step: string) => void,
): Promise<Followed> {
  const endMs = performance.now() + timeoutMs
  let told = ''
  for (;;) {
    const proof = await client.nodeop_getProof(id)
    const step = describeStep(proof)
    if (step !== told) tell(step)
    told = step
    const isOver = isEnd(proof)
    if (isOver || performance.now() >= endMs) return { proof, isOver }
    await pause(lookMs)
  }
}

const isEnd = ({ status }: ProofView): boolean =>
  status === 'settled' || status === 'expired' || status === 'refused'

/** Where a task stands, in words that name what it waits for. */
export function describeStep({ status, task, checkpoint, l1, reason }: ProofView): string {
  switch (status) {
    case 'unknown':
      return 'unknown to this operator'
    case 'accepted':
      return 'accepted: waits for a block'
    case 'confirmed':
      return task ? describePhase(task) : 'confirmed'
    case 'certified':
      return `certified in checkpoint ${checkpoint?.index}: waits for its submission to L1`
    case 'onL1':
      return `executed on L1 in ${l1?.executed?.transaction ?? l1?.transaction}`
    case 'settled':
      return 'settled'
    case 'refused':
    case 'expired':
      return `${status}${reason ? `: ${reason}` : ''}`
  }
}

function describePhase({ status, committee, attempt, agreeing }: NonNullable<ProofView['task']>) {
  const committed = committee.filter(({ digest }) => digest !== undefined).length
  const revealed = committee.filter(({ result }) => result !== undefined).length
  const draw = attempt > 1 ? ` (draw ${attempt})` : ''
  if (status === 'committing')
    return `committee${draw}: ${committed} of ${committee.length} committed`
  if (status === 'revealing') return `committee${draw}: ${revealed} of ${committee.length} revealed`
  if (status === 'agreed')
    return `agreed by operators ${agreeing.join(', ')}: waits for a checkpoint`
  return 'in a block: waits for its draw'
}
