/** Lets one at a time do something, in the order in which they came. */
export type Turns = <Result>(run: () => Promise<Result>) => Promise<Result>

/** Makes turns that nobody has taken yet. A turn that fails is its taker's alone. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const mine = last.then(run)
    last = mine.catch(() => {})
    return mine
  }
}
