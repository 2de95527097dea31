// The databases of one simulated process: real SQLite files in a folder of their own, of which a
// crash leaves what is synced, and of a commit that was not, any part.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'

/** What one process does to its databases. */
export type FaultyDatabases = {
  /** Where they are; made when it is first asked for. */
  readonly folder: string
  /** A commit begins: from here on its bytes in the write-ahead log are not synced. */
  begin(file: string): void
  /** It is synced. */
  synced(file: string): void
  /** The process has ended: what follows reaches no disk. */
  end(): void
  /**
   * What the next process finds: all, or with commits torn that were not synced. Those of this
   * process may still be open: they are left alone.
   */
  next(how: 'killed' | 'power cut', chance: () => number): FaultyDatabases
}

/**
 * @param root - an empty folder for the lives of this operator's databases.
 * @param syncs - `ignored`: no commit is ever synced.
 */
export const createFaultyDatabases = (
  root: string,
  syncs: 'kept' | 'ignored' = 'kept',
): FaultyDatabases => live(root, 1, syncs, new Map())

/** What was before a commit that is not synced. */
type Before = { readonly logBytes: number; readonly changedMs: number }

function live(
  root: string,
  number: number,
  syncs: 'kept' | 'ignored',
  inherited: ReadonlyMap<string, Before>,
): FaultyDatabases {
  const folder = join(root, `life-${number}`)
  const atEnd = join(root, `end-${number}`)
  mkdirSync(folder, { recursive: true })
  const unsynced = new Map<string, Before>()
  for (const [file, { logBytes }] of inherited)
    unsynced.set(file, { logBytes, changedMs: changedMs(join(folder, file)) })
  let torn: ReadonlyMap<string, Before> | undefined
  const end = () => {
    if (torn) return
    torn = new Map([...unsynced].filter(([file, before]) => canTear(join(folder, file), before)))
    copyDatabases(folder, atEnd)
  }
  return {
    folder,
    begin(file) {
      const path = join(folder, file)
      if (unsynced.has(file)) return
      unsynced.set(file, { logBytes: sizeOf(`${path}-wal`), changedMs: changedMs(path) })
    },
    synced: (file) => void (syncs === 'kept' && unsynced.delete(file)),
    end,
    next(how, chance) {
      end()
      const after = join(root, `life-${number + 1}`)
      copyDatabases(atEnd, after)
      if (how === 'power cut')
        for (const [file, { logBytes }] of torn ?? [])
          cut(join(after, `${file}-wal`), logBytes, chance)
      rmSync(join(root, `life-${number - 1}`), { recursive: true, force: true })
      rmSync(atEnd, { recursive: true })
      return live(root, number + 1, syncs, how === 'killed' ? unsynced : new Map())
    },
  }
}

/**
 * Where SQLite has begun the log anew, or has moved it into the database, it has synced it first:
 * nothing can be lost then.
 */
const canTear = (path: string, { logBytes, changedMs: beforeMs }: Before): boolean =>
  sizeOf(`${path}-wal`) > logBytes && changedMs(path) === beforeMs

/** Cuts a log anywhere above what is synced. */
function cut(log: string, logBytes: number, chance: () => number): void {
  truncateSync(log, logBytes + Math.floor(chance() * (sizeOf(log) - logBytes + 1)))
}

/** The log first: what SQLite moves from it into the database meanwhile is then in both. */
function copyDatabases(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  const names = readdirSync(from).filter((name) => /\.sqlite(-wal)?$/.test(name))
  for (const name of names.sort().reverse()) {
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name))
  }
}

const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0)
const changedMs = (path: string): number => (existsSync(path) ? statSync(path).mtimeMs : 0)
