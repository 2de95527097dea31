/** The operating system's word on how urgent a thread is; `node:os` is one. */
export type Priorities = {
  /** `linux` where a thread has a priority of its own. */
  platform(): string
  /** From -20, the most urgent, to 19. */
  getPriority(): number
  setPriority(priority: number): void
}

/** `os.constants.priority.PRIORITY_BELOW_NORMAL`. */
const belowNormal = 10

/**
 * Lets blocks come first where cores are few: the thread that calls this goes behind the others.
 * Only Linux has a priority for each thread: elsewhere this would be the whole process's. A process
 * that has given up more already may not take some back.
 */
export function giveWay(os: Priorities): void {
  if (os.platform() === 'linux' && os.getPriority() < belowNormal) os.setPriority(belowNormal)
}
