import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, mkdtemp, open, realpath, rename } from 'node:fs/promises'
import { basename, dirname, join, normalize, sep } from 'node:path'
import { concatBytes, DomainError, equalBytes, fromUtf8, toHex, utf8 } from '#primitives'
import { diskError, explained, makeFolder, syncFolder } from './disk.ts'
import { makeFolders } from './folders.ts'
import { guardFile, restoredFile, restoredText } from './guard/guard.ts'
import { lockFile, lockFolder } from './guard/lock.ts'
import { operatorKeysFile } from './operator-keys.ts'

/**
 * A folder as one encrypted file: a heading, salt and nonce, then everything in it under
 * AES-256-GCM (NIST SP 800-38D) by a key that scrypt (RFC 7914) makes of a passphrase, then the
 * tag. The folder must be at rest, and is kept so.
 *
 * @param target - a new file outside the folder, which is readable by its owner alone.
 * @returns how many files it holds.
 * @throws FolderInUseError, BundleExistsError, BundleInsideError, and the disk's own errors.
 */
export async function saveBundle(
  folder: string,
  target: string,
  passphrase: string,
): Promise<number> {
  if (existsSync(target)) throw exists(target)
  await explained(folder, async () => readdirSync(folder))
  await requireOutside(folder, target)
  const lock = lockFolder(folder)
  try {
    const names = filesIn(folder)
    // Of a name that nobody else has: it is removed when something goes wrong.
    const draft = `${target}.${toHex(randomBytes(8)).slice(2)}.new`
    const file = await opened(draft, 'wx', 0o600)
    try {
      await writeBundle(file, folder, names, passphrase)
      await file.sync()
      await explained(target, () => rename(draft, target))
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    } finally {
      await file.close()
    }
    return names.length
  } finally {
    lock.release()
  }
}

/**
 * Puts a bundle's files into a new folder, all or nothing. Every operator among them is marked as
 * restored: it signs nothing until it knows what it may have signed since.
 *
 * Nothing is written before bundle and passphrase were found right, and nothing is removed but what
 * this call made.
 *
 * @param folder - absolute; missing or empty.
 * @returns how many there were.
 * @throws WrongPassphraseError, BundleExistsError, NoBundleError, and the disk's own errors.
 */
export async function restoreBundle(
  source: string,
  folder: string,
  passphrase: string,
): Promise<number> {
  if (await explained(folder, async () => isTaken(folder))) throw exists(folder)
  const file = await opened(source, 'r')
  try {
    const bundle = await checkBundle(file, source, passphrase)
    await makeFolder(dirname(folder))
    const draft = await explained(folder, () => mkdtemp(`${folder}.restoring-`))
    try {
      const count = await unpack(bundle, draft)
      await markOperators(draft)
      await syncFolders(draft)
      // Takes the place of an empty folder, and of nothing else.
      await explained(folder, () => rename(draft, folder))
      await syncFolder(dirname(folder))
      return count
    } finally {
      rmSync(draft, { recursive: true, force: true })
    }
  } finally {
    await file.close()
  }
}

/** Whatever takes the folder would take its backup too. Links are followed. */
async function requireOutside(folder: string, target: string): Promise<void> {
  const [above, place] = [
    await realpath(folder),
    await explained(target, () => realpath(dirname(target))),
  ]
  if (place !== above && !place.startsWith(above + sep)) return
  throw new BundleInsideError(
    `${target} lies in ${folder}, which it is to be a backup of: name a file elsewhere`,
    { path: target },
  )
}

/** Whether something is there, and is no empty folder. */
const isTaken = (path: string): boolean =>
  existsSync(path) && !(statSync(path).isDirectory() && readdirSync(path).length === 0)

/**
 * Says in every operator's folder that what it has signed since the backup is not known. Where keys
 * are without a guard, they may have signed for the first time after the backup.
 */
async function markOperators(folder: string): Promise<void> {
  const marked = filesIn(folder).filter((name) =>
    [guardFile, operatorKeysFile].includes(basename(name)),
  )
  for (const place of new Set(marked.map(dirname))) {
    const mark = await opened(join(folder, place, restoredFile), 'w', 0o600)
    try {
      await mark.write(utf8(restoredText))
      await mark.sync()
    } finally {
      await mark.close()
    }
  }
}

/** Makes the names in a folder and below it durable. */
async function syncFolders(folder: string): Promise<void> {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await syncFolders(join(folder, entry.name))
  await syncFolder(folder)
}

const heading = utf8('NodeOP backup 1\n')
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16
const headBytes = heading.length + saltBytes + nonceBytes
const chunkBytes = 1024 * 1024
const algorithm = 'aes-256-gcm'

/** About a third of a second, and 128 MiB, a guess. */
const keyOf = (passphrase: string, salt: Uint8Array): Uint8Array =>
  scryptSync(passphrase.normalize('NFKC'), salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 })

/** Locks say who runs now, and a note where L1 runs now: neither is true of a copy. */
const leftOut = new Set([lockFile, `${lockFile}-journal`, 'process.json'])

/** Paths below the folder, with `/`, in order. */
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !leftOut.has(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .map((path) => path.split(sep).join('/'))
    .sort()

async function writeBundle(
  file: FileHandle,
  folder: string,
  names: readonly string[],
  passphrase: string,
): Promise<void> {
  const [salt, nonce] = [randomBytes(saltBytes), randomBytes(nonceBytes)]
  const cipher = createCipheriv(algorithm, keyOf(passphrase, salt), nonce)
  cipher.setAAD(heading)
  const put = async (bytes: Uint8Array) => void (await file.write(cipher.update(bytes)))
  await file.write(concatBytes(heading, salt, nonce))
  for (const name of names) {
    const part = await opened(join(folder, name), 'r')
    try {
      const { size } = await part.stat()
      const path = utf8(name)
      await put(concatBytes(numberBytes(path.length), path, numberBytes(size)))
      for (let done = 0; done < size; done += chunkBytes)
        await put(await readExactly(part, done, Math.min(chunkBytes, size - done)))
    } finally {
      await part.close()
    }
  }
  await put(numberBytes(0))
  await file.write(concatBytes(cipher.final(), cipher.getAuthTag()))
}

/** A bundle that was found whole. */
type Bundle = {
  readonly file: FileHandle
  readonly source: string
  readonly key: Uint8Array
  readonly nonce: Uint8Array
}

async function checkBundle(file: FileHandle, source: string, passphrase: string): Promise<Bundle> {
  const stat = await file.stat()
  if (
    !stat.isFile() ||
    stat.size < headBytes + tagBytes ||
    !equalBytes(await readExactly(file, 0, heading.length), heading)
  )
    throw new NoBundleError(`${source} is no backup of this version`, { path: source })
  const salt = await readExactly(file, heading.length, saltBytes)
  const nonce = await readExactly(file, heading.length + saltBytes, nonceBytes)
  const key = keyOf(passphrase, salt)
  const decipher = createDecipheriv(algorithm, key, nonce)
  decipher.setAAD(heading)
  decipher.setAuthTag(await readExactly(file, stat.size - tagBytes, tagBytes))
  await requireWhole(file, source, headBytes, stat.size - tagBytes, decipher)
  return { file, source, key, nonce }
}

/** Writes a bundle's files into a folder. @returns how many there were. */
async function unpack({ file, source, key, nonce }: Bundle, folder: string): Promise<number> {
  const decipher = createDecipheriv(algorithm, key, nonce)
  let at = headBytes
  const take = async (length: number) => {
    const bytes = decipher.update(await readExactly(file, at, length))
    at += length
    return bytes
  }
  let count = 0
  for (;;) {
    const nameBytes = toNumber(await take(8))
    if (nameBytes === 0) return count
    const path = join(folder, fromUtf8(await take(nameBytes)))
    if (!normalize(path).startsWith(folder + sep)) throw wrong(source)
    await explained(path, () => makeFolders(dirname(path), 0o700))
    const part = await opened(path, 'wx', 0o600)
    try {
      for (let left = toNumber(await take(8)); left > 0; left -= Math.min(left, chunkBytes))
        await part.write(await take(Math.min(left, chunkBytes)))
      await part.sync()
    } finally {
      await part.close()
    }
    count++
  }
}

/** Reads all of it once: what the tag does not vouch for is never looked at. */
async function requireWhole(
  file: FileHandle,
  source: string,
  from: number,
  to: number,
  decipher: ReturnType<typeof createDecipheriv>,
): Promise<void> {
  for (let at = from; at < to; at += chunkBytes)
    decipher.update(await readExactly(file, at, Math.min(chunkBytes, to - at)))
  try {
    decipher.final()
  } catch (cause) {
    throw wrong(source, cause)
  }
}

async function readExactly(file: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, from + done)
    if (bytesRead === 0) throw new Error('defect: a file at rest has become shorter')
    done += bytesRead
  }
  return bytes
}

async function opened(path: string, flags: 'r' | 'w' | 'wx', mode?: number): Promise<FileHandle> {
  try {
    return await open(path, flags, mode)
  } catch (error) {
    throw diskError(path, error)
  }
}

/** A safe integer in eight bytes, big-endian. */
function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

const toNumber = (bytes: Uint8Array): number =>
  Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0))

const exists = (path: string) => new BundleExistsError(`${path} exists: name a new one`, { path })

const wrong = (path: string, cause?: unknown) =>
  new WrongPassphraseError(`${path}: another passphrase made it, or it is damaged`, { path }, cause)

/** What would be written over something is refused. */
export class BundleExistsError extends DomainError<'BundleExists', { path: string }> {
  override readonly code = 'BundleExists'
}

/** A backup would lie in the folder that it is of, and be lost with it. */
export class BundleInsideError extends DomainError<'BundleInside', { path: string }> {
  override readonly code = 'BundleInside'
}

/** A file that is no backup, or one of another version. */
export class NoBundleError extends DomainError<'NoBundle', { path: string }> {
  override readonly code = 'NoBundle'
}

/** The passphrase does not fit, or a byte of the backup was changed: nobody can tell which. */
export class WrongPassphraseError extends DomainError<'WrongPassphrase', { path: string }> {
  override readonly code = 'WrongPassphrase'
}
