import type { Clock } from '#primitives'

/**
 * Calls `run` at evenly spaced times until stopped, with the time that each call was due; the first
 * is due half a beat after the start. Times that were missed are made up for at once: what is
 * offered does not depend on how busy we are.
 *
 * @param perSecond - calls a second; none when 0.
 * @returns stops it.
 */
export function startMetronome(
  clock: Clock,
  perSecond: number,
  run: (dueMs: number) => void,
): () => void {
  if (perSecond <= 0) return () => {}
  const startMs = clock.nowMs()
  const dueMs = (beat: number): number => startMs + ((beat + 0.5) * 1000) / perSecond
  let beat = 0
  let cancel = () => {}
  const tick = (): void => {
    for (const nowMs = clock.nowMs(); dueMs(beat) <= nowMs; beat++) run(dueMs(beat))
    cancel = clock.after(Math.max(0, Math.ceil(dueMs(beat) - clock.nowMs())), tick)
  }
  tick()
  return () => cancel()
}
