import { constants, getPriority, setPriority } from 'node:os'

/**
 * Lets blocks come first where cores are few: the thread that calls this goes behind the others.
 * Only Linux has a priority for each thread: elsewhere this would be the whole process's. A process
 * that has given up more already may not take some back.
 */
export function giveWay(): void {
  const priority = constants.priority.PRIORITY_BELOW_NORMAL
  if (process.platform === 'linux' && getPriority() < priority) setPriority(priority)
}
