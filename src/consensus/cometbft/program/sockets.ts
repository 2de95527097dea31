import { hash } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { DomainError } from '#primitives'
import { makeFolder } from './folder.ts'

/** Systems give the path of a Unix socket 104 bytes or 108. */
const maxSocketPath = 100
const longestName = 'abci.sock'

/**
 * The folder of an operator's sockets, which only its owner may enter: its own, or where that has
 * too long a path for a socket, one in the system's temporary folder with a name that follows from
 * it.
 *
 * @param folder - absolute; exists.
 * @throws SocketFolderError when somebody else has a folder of that name.
 */
export function socketFolder(folder: string): string {
  if (Buffer.byteLength(join(folder, longestName)) <= maxSocketPath) return folder
  const short = join(tmpdir(), `nodeop-${hash('sha256', folder, 'hex').slice(0, 16)}`)
  makeFolder(short)
  const { uid, mode } = lstatSync(short)
  if (uid !== userInfo().uid || (mode & 0o077) !== 0)
    throw new SocketFolderError(
      `others have ${short}, where the sockets of ${folder} belong: shorten that path`,
      { path: short },
    )
  return short
}

/** The sockets of an operator would be in another user's hands. */
export class SocketFolderError extends DomainError<'SocketFolder', { readonly path: string }> {
  override readonly code = 'SocketFolder'
}
