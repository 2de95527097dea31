import { existsSync } from 'node:fs'
import { copyFile, open, readFile, rename, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { createDisk } from '#node'
import { DomainError, type Logger } from '#primitives'

/** Where anvil writes its chain, each second, over what was there: killed, it leaves a part. */
export const stateFile = (stateDir: string): string => join(stateDir, 'anvil.json')

/** Two whole copies, taken in turn. */
const copiesOf = (stateDir: string): readonly [string, string] => [
  join(stateDir, 'anvil-1.json'),
  join(stateDir, 'anvil-2.json'),
]

/** How often the chain is looked at. */
const lookMs = 250
/** Copied at most, however long the chain has become. */
const bytesPerMs = 20_000

/**
 * Copies the chain whenever anvil has written it, as long as it runs.
 *
 * @returns ends it, once a copy under way is whole.
 */
export function keepCopies(stateDir: string, logger: Logger): () => Promise<void> {
  const ended = new AbortController()
  let copiedMs = 0
  let turn = 0
  const look = async (): Promise<number> => {
    const to = copiesOf(stateDir)[turn % 2] as string
    const copied = await copyWhole(stateFile(stateDir), to, copiedMs)
    if (!copied) return 0
    copiedMs = copied.writtenMs
    turn++
    return copied.bytes
  }
  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const bytes = await look().catch((error) => {
        logger.warn('L1 state not copied', { error: String(error) })
        return 0
      })
      const pauseMs = Math.max(lookMs, bytes / bytesPerMs)
      await pass(pauseMs, undefined, { signal: ended.signal, ref: false }).catch(() => {})
    }
  }
  const running = run()
  return () => {
    ended.abort()
    return running
  }
}

/**
 * Puts the newest whole chain in the place where anvil reads it.
 *
 * @throws L1StateDamagedError when there are some, and none is whole; DiskDeniedError where anvil
 * could not write: it would not say so.
 */
export async function mendState(stateDir: string, logger: Logger): Promise<void> {
  const path = stateFile(stateDir)
  if (!existsSync(path)) return
  await (await createDisk(stateDir).open(basename(path))).close()
  if (await isWhole(path)) return
  for (const copy of await newestFirst(copiesOf(stateDir))) {
    if (!(await isWhole(copy))) continue
    logger.warn('the chain of L1 is not whole: a copy of it is taken', { path, copy })
    await copyFile(copy, path)
    return
  }
  throw new L1StateDamagedError(
    `${path} is no whole chain, nor is a copy of it: restore the folder from a backup, or name ` +
      'an empty one',
    { path },
  )
}

/**
 * Copies a chain that was written since. Anvil may be writing: then the copy is a part, which ends
 * somewhere in the middle.
 *
 * @returns what was copied; undefined when there is nothing new that looks whole.
 */
async function copyWhole(
  from: string,
  to: string,
  sinceMs: number,
): Promise<{ readonly writtenMs: number; readonly bytes: number } | undefined> {
  if (!existsSync(from)) return undefined
  const { mtimeMs: writtenMs, size: bytes } = await stat(from)
  if (writtenMs === sinceMs) return undefined
  const draft = `${to}.new`
  await copyFile(from, draft)
  const file = await open(draft, 'r+')
  try {
    const { size } = await file.stat()
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1))
    if (buffer.toString() !== '}') return undefined
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, to)
  return { writtenMs, bytes }
}

async function isWhole(path: string): Promise<boolean> {
  try {
    JSON.parse(await readFile(path, 'utf8'))
    return true
  } catch {
    return false // a part, or none
  }
}

async function newestFirst(paths: readonly string[]): Promise<readonly string[]> {
  const there = paths.filter((path) => existsSync(path))
  const timed = await Promise.all(there.map(async (path) => ({ path, ...(await stat(path)) })))
  return timed.sort((a, b) => b.mtimeMs - a.mtimeMs).map(({ path }) => path)
}

/** No start of anvil can read what its folder holds. */
export class L1StateDamagedError extends DomainError<'L1StateDamaged', { path: string }> {
  override readonly code = 'L1StateDamaged'
}
