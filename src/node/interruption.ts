/** Exit code of a program that its user ended before it was up, or by asking twice. */
export const interruptedCode = 130

/** A Ctrl-C may come twice at once: from the terminal, and passed on by the script above. */
const sameAskMs = 500

/** That the user asked for an end, once it has happened. */
export type Interruption = {
  readonly signal: AbortSignal
  readonly happened: Promise<void>
}

/**
 * Waits for the first Ctrl-C, request to end or closed terminal, or for the end of a parent that
 * has a channel to this process. A second one ends the process at once.
 */
export function awaitInterruption(): Interruption {
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<void>()
  let askedMs: number | undefined
  const ask = () => {
    const nowMs = performance.now()
    askedMs ??= nowMs
    if (nowMs - askedMs > sameAskMs) process.exit(interruptedCode)
    controller.abort()
    resolve()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask)
  process.once('disconnect', ask)
  // Who listens for the end of a parent would never end before it: a start that is refused must.
  process.channel?.unref()
  return { signal: controller.signal, happened: promise }
}
