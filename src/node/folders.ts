import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it that are missing, one by one: the recursive `mkdir` of Node
 * tries for ever where the system says of a folder that exists that nothing can be found in it, as
 * Linux says of `/proc`.
 *
 * @param path - absolute.
 * @param mode - of what is made.
 * @returns what was made, the outermost first.
 * @throws the system's own errors.
 */
export async function makeFolders(path: string, mode: number): Promise<readonly string[]> {
  if (await isFolder(path)) return []
  const above = await makeFolders(dirname(path), mode)
  try {
    await mkdir(path, { mode })
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (await isFolder(path)) return above
    throw error
  }
  return [...above, path]
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
