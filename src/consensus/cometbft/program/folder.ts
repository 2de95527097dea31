import { mkdirSync } from 'node:fs'

/**
 * Makes a folder for its owner alone, unless it is there. The one above it exists: Node's recursive
 * `mkdir` would try for ever where nothing can be made, as below `/proc`.
 *
 * @throws the system's own errors.
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
