import { DiskFullError } from '#node'
import type { Disk, DiskFile } from '#primitives'
import type { FaultyDatabases } from './faulty-databases.ts'
import { random } from './random.ts'

/** The process that used a disk has ended: whatever it still calls fails with this. */
export class CrashedError extends Error {}

/** When a crash comes: before the step does anything, or after it has done all. */
export type When = 'before' | 'after'

/**
 * A disk in memory that keeps what was not synced apart. One such value is what one process sees of
 * it; `afterPowerCut` and `afterKill` give what the next process finds.
 */
export type FaultyDisk = Disk & {
  /** Steps so far that change what a crash would leave, or make it sure: writes, syncs, names. */
  steps(): number
  /** What the steps were, for messages. */
  readonly trace: readonly string[]
  /** Ends the process at a step: counted from 0, or the first of a name. */
  crashAt(step: number | string, when: When): void
  /** Ends the process now. */
  end(): void
  hasEnded(): boolean
  /** The step at which it was ended, and on which side; others may have begun meanwhile. */
  endedAt(): string | undefined
  /**
   * Unsynced writes, cuts and names are lost, kept, or, for a write, kept up to any byte, each by
   * itself and by chance.
   */
  afterPowerCut(): FaultyDisk
  /** The process is gone, the system is not: nothing is lost, and nothing unsynced is safe yet. */
  afterKill(): FaultyDisk
  /** Where the databases of this process are: each has its own folder. Only with databases. */
  databaseFolder(): string
  /** Another disk with the same synced content, as a backup has it; what is in databases, not. */
  copy(databases?: FaultyDatabases): FaultyDisk
  /** Content as a process reads it; undefined when there is no such file. */
  bytes(path: string): Uint8Array | undefined
  /** Puts content in place, synced. */
  put(path: string, bytes: Uint8Array): void
  /** Flips bits of one byte. */
  flip(path: string, offset: number, mask: number): void
  /** Writes fail once so many more bytes were written. */
  fillAfter(bytes: number): void
  /** Runs before each sync takes effect. */
  onSync(delay: () => Promise<void>): void
}

/** How faithful the disk is: what a control removes to see that a test notices. */
export type Faith = {
  /** `ignored`: a sync returns and does nothing. */
  readonly syncs: 'kept' | 'ignored'
}

/**
 * @param seed - of what a power cut leaves; the same seed and calls leave the same.
 * @param databases - whose commits are steps too; absent: commits cost nothing and lose nothing.
 */
export const createFaultyDisk = (
  seed: number,
  faith: Faith = { syncs: 'kept' },
  databases?: FaultyDatabases,
): FaultyDisk => mount(new Map(), random(seed), faith, databases)

/** One file's content, whatever its name: what is safe, and what was done since. */
type Inode = { safe: Uint8Array; pending: Change[] }

type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly length: number }

/** A name that was given or taken; `inode` undefined when taken. */
type Naming = { readonly names: readonly (readonly [path: string, inode: Inode | undefined])[] }

/** A folder's names: what is safe, and what was done since, each step whole. */
type Folder = { safe: Map<string, Inode>; pending: Naming[] }

type Platter = Map<string, Folder>

function mount(
  platter: Platter,
  next: () => number,
  faith: Faith,
  databases?: FaultyDatabases,
): FaultyDisk {
  const process = createProcess(() => databases?.end())
  const { step } = process
  const folderOf = (path: string) => folderAt(platter, parentOf(path))
  const namesOf = (folder: Folder) => applied(folder.safe, folder.pending)
  const find = (path: string) => namesOf(folderOf(path)).get(path)
  const name = (path: string, ...names: Naming['names']) =>
    void folderOf(path).pending.push({ names })
  const must = (path: string): Inode => {
    const inode = find(path)
    if (!inode) throw new Error(`no such file: ${path}`)
    return inode
  }
  return {
    ...process.controls,
    pathOf: (path) => `/faulty/${path}`,
    async open(path) {
      const known = find(path)
      if (known) return openInode(path, known, process, faith)
      const inode: Inode = { safe: new Uint8Array(0), pending: [] }
      await step(`make ${path}`, () => name(path, [path, inode]))
      return openInode(path, inode, process, faith)
    },
    rename: (from, to) =>
      step(`rename ${from} ${to}`, () => name(to, [to, must(from)], [from, undefined])),
    remove: (path) => step(`remove ${path}`, () => name(path, [path, undefined])),
    async list(folder) {
      process.assertAlive()
      const prefix = folder === '' ? '' : `${folder}/`
      const paths = [...namesOf(folderAt(platter, folder)).keys()]
      return paths.map((path) => path.slice(prefix.length)).sort()
    },
    makeFolder: (folder) => step(`folder ${folder}`, () => void folderAt(platter, folder)),
    syncFolder: (path) =>
      step(`sync folder ${path}`, async () => {
        await process.beforeSync()
        if (faith.syncs === 'ignored') return
        const folder = folderAt(platter, path)
        folder.safe = namesOf(folder)
        folder.pending = []
      }),
    commit: (file, run) => (databases ? commitTo(databases, process, file, run) : run()),
    databaseFolder: () => {
      if (!databases) throw new Error('this disk has no databases')
      return databases.folder
    },
    afterPowerCut: () =>
      mount(surviving(platter, next), next, faith, databases?.next('power cut', next)),
    afterKill: () => mount(copied(platter), next, faith, databases?.next('killed', next)),
    copy: (others) => mount(copied(platter, 'safe only'), next, faith, others),
    bytes: (path) => (find(path) ? contentOf(must(path)) : undefined),
    put(path, bytes) {
      folderOf(path).safe.set(path, { safe: bytes, pending: [] })
    },
    flip(path, offset, mask) {
      const inode = must(path)
      const bytes = contentOf(inode)
      bytes[offset] = (bytes[offset] ?? 0) ^ mask
      Object.assign(inode, { safe: bytes, pending: [] })
    },
  }
}

type Process = ReturnType<typeof createProcess>

/** Counts one process's steps and ends it. */
function createProcess(onEnd: () => void) {
  const trace: string[] = []
  let last: { readonly step: number | string; readonly when: When } | undefined
  let hasEnded = false
  let endedAt: string | undefined
  let spaceBytes = Number.POSITIVE_INFINITY
  let beforeSync = () => Promise.resolve()
  const assertAlive = () => {
    if (hasEnded) throw new CrashedError('the process has ended')
  }
  const endAt = (number: number, when: When) => {
    const isLast = last?.step === number || last?.step === trace[number]
    if (!isLast || last?.when !== when) return
    hasEnded = true
    endedAt = `${when} ${trace[number]}`
    onEnd()
    throw new CrashedError(`the process ended ${endedAt}`)
  }
  const begin = (what: string): number => {
    assertAlive()
    const number = trace.push(what) - 1
    endAt(number, 'before')
    return number
  }
  const finish = (number: number) => {
    assertAlive()
    endAt(number, 'after')
  }
  return {
    assertAlive,
    beforeSync: () => beforeSync(),
    /** Takes the space of a write; fewer bytes when the disk is full. */
    take(wanted: number): number {
      const given = Math.min(wanted, spaceBytes)
      spaceBytes -= given
      return given
    },
    async step(what: string, run: () => void | Promise<void>): Promise<void> {
      const number = begin(what)
      await run()
      finish(number)
    },
    begin,
    finish,
    controls: {
      steps: () => trace.length,
      trace: trace as readonly string[],
      crashAt: (step: number | string, when: When) => {
        last = { step, when }
      },
      end: () => {
        hasEnded = true
        onEnd()
      },
      hasEnded: () => hasEnded,
      endedAt: () => endedAt,
      fillAfter: (bytes: number) => {
        spaceBytes = bytes
      },
      onSync: (delay: () => Promise<void>) => {
        beforeSync = delay
      },
    },
  }
}

/** Two steps, as a file has them: the commit is written, then it is synced. */
function commitTo<T>(
  databases: FaultyDatabases,
  { begin, finish }: Process,
  file: string,
  run: () => T,
): T {
  const written = begin(`commit ${file}`)
  databases.begin(file)
  const after = () => {
    finish(written)
    const synced = begin(`sync ${file}`)
    databases.synced(file)
    finish(synced)
  }
  const result = run()
  if (result instanceof Promise) return result.finally(after) as T
  after()
  return result
}

function openInode(path: string, inode: Inode, process: Process, faith: Faith): DiskFile {
  const { step, assertAlive } = process
  return {
    async size() {
      assertAlive()
      return contentOf(inode).length
    },
    async read(offset, length) {
      assertAlive()
      return contentOf(inode).slice(offset, offset + length)
    },
    write: (offset, bytes) =>
      step(`write ${path}`, () => {
        const given = bytes.slice(0, process.take(bytes.length))
        inode.pending.push({ kind: 'write', offset, bytes: given })
        if (given.length < bytes.length) throw new DiskFullError(`no space for ${path}`, { path })
      }),
    truncate: (length) =>
      step(`cut ${path}`, () => void inode.pending.push({ kind: 'truncate', length })),
    sync: () =>
      step(`sync ${path}`, async () => {
        await process.beforeSync()
        if (faith.syncs === 'ignored') return
        Object.assign(inode, { safe: contentOf(inode), pending: [] })
      }),
    close: () => Promise.resolve(),
  }
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

function folderAt(platter: Platter, path: string): Folder {
  const known = platter.get(path)
  if (known) return known
  const made: Folder = { safe: new Map(), pending: [] }
  platter.set(path, made)
  return made
}

function applied(safe: ReadonlyMap<string, Inode>, pending: readonly Naming[]) {
  const names = new Map(safe)
  for (const { names: changed } of pending)
    for (const [path, inode] of changed) {
      if (inode) names.set(path, inode)
      else names.delete(path)
    }
  return names
}

const contentOf = ({ safe, pending }: Inode): Uint8Array =>
  pending.reduce(changed, Uint8Array.from(safe))

function changed(content: Uint8Array, change: Change): Uint8Array {
  if (change.kind === 'truncate') {
    const cut = new Uint8Array(change.length)
    cut.set(content.subarray(0, change.length))
    return cut
  }
  const { offset, bytes } = change
  if (bytes.length === 0) return content
  const whole = new Uint8Array(Math.max(content.length, offset + bytes.length))
  whole.set(content)
  whole.set(bytes, offset)
  return whole
}

/** What is left of a change: all, nothing, or some bytes from its beginning. */
function remains(change: Change, next: () => number): readonly Change[] {
  const chance = next()
  if (chance < 1 / 3) return []
  if (chance < 2 / 3 || change.kind === 'truncate') return [change]
  return [{ ...change, bytes: change.bytes.slice(0, Math.floor(next() * change.bytes.length)) }]
}

/** Names are kept in order up to some point, as a journal keeps them; contents each by itself. */
function surviving(platter: Platter, next: () => number): Platter {
  const inodes = new Map<Inode, Inode>()
  const left = (inode: Inode): Inode => {
    const known = inodes.get(inode)
    if (known) return known
    const pending = inode.pending.flatMap((change) => remains(change, next))
    const fresh: Inode = { safe: contentOf({ safe: inode.safe, pending }), pending: [] }
    inodes.set(inode, fresh)
    return fresh
  }
  return mapFolders(platter, ({ safe, pending }) => {
    const kept = pending.slice(0, Math.floor(next() * (pending.length + 1)))
    return { safe: mapNames(applied(safe, kept), left), pending: [] }
  })
}

function copied(platter: Platter, what: 'all' | 'safe only' = 'all'): Platter {
  const inodes = new Map<Inode, Inode>()
  const twin = (inode: Inode): Inode => {
    const known = inodes.get(inode)
    if (known) return known
    const fresh = { safe: inode.safe.slice(), pending: what === 'all' ? [...inode.pending] : [] }
    inodes.set(inode, fresh)
    return fresh
  }
  return mapFolders(platter, ({ safe, pending }) => ({
    safe: mapNames(safe, twin),
    pending:
      what === 'all'
        ? pending.map(({ names }) => ({
            names: names.map(([path, inode]) => [path, inode && twin(inode)] as const),
          }))
        : [],
  }))
}

const mapFolders = (platter: Platter, map: (folder: Folder) => Folder): Platter =>
  new Map([...platter].map(([path, folder]) => [path, map(folder)]))

const mapNames = (names: ReadonlyMap<string, Inode>, map: (inode: Inode) => Inode) =>
  new Map([...names].map(([path, inode]) => [path, map(inode)]))
