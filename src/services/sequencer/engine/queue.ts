/** Runs one task after another, in the order of the calls. */
export type Queue = <T>(task: () => Promise<T>) => Promise<T>

/** An empty queue. A task that fails fails for its caller only. */
export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const result = last.then(task)
    last = result.catch(() => undefined) // its caller sees the failure
    return result
  }
}
