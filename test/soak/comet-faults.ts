// What is done to an operator on CometBFT from outside: its application, its engine or both are
// killed, or stand still for a while as if no packet came through.
import { setTimeout as pass } from 'node:timers/promises'
import type { OperatorId } from '#records'
import type { CometNetwork } from './comet-network.ts'

/** What of an operator a fault strikes: its Node process, its CometBFT process. */
export const parts = ['application', 'engine', 'both'] as const
export type Part = (typeof parts)[number]

/** Kills a part by `kill -9`; what does not come back by itself is started again. */
export async function killPart(network: CometNetwork, id: OperatorId, part: Part): Promise<void> {
  if (part !== 'application') signal(network.enginePid(id), 'SIGKILL')
  if (part === 'engine') return // its operator starts another
  await network.devnet.stopOperator(id)
  await network.devnet.startOperator(id)
}

/** Kills an operator's application, and once more while it starts, after so long. */
export async function killStarting(
  { devnet }: CometNetwork,
  id: OperatorId,
  afterMs: number,
): Promise<void> {
  await devnet.stopOperator(id)
  const starting = devnet.startOperator(id).catch(() => {}) // it is to fail
  await pass(afterMs)
  await devnet.stopOperator(id)
  await starting
  await devnet.startOperator(id)
}

/** Stops a part of some operators by SIGSTOP. @returns lets them go on. */
export function freeze(network: CometNetwork, ids: readonly OperatorId[], part: Part): () => void {
  const pids = ids.flatMap((id) => [
    ...(part === 'engine' ? [] : [network.devnet.operators.get(id)?.pid]),
    ...(part === 'application' ? [] : [network.enginePid(id)]),
  ])
  for (const pid of pids) signal(pid, 'SIGSTOP')
  return () => letGoOn(pids)
}

/** Lets processes go on that may stand still. */
export function letGoOn(pids: readonly (number | undefined)[]): void {
  for (const pid of pids) signal(pid, 'SIGCONT')
}

/** A process that has just ended by itself is as good as killed. */
function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
