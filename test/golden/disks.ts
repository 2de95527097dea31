// Disks of operators that crash, with a copy for each crash.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { createFaultyDatabases } from '../support/faulty-databases.ts'
import { createFaultyDisk, type FaultyDisk } from '../support/faulty-disk.ts'

/** Steps of a block's commit to an operator's databases. */
export const databaseSteps: readonly string[] = ['l2.sqlite', 'ledger.sqlite'].flatMap((file) => [
  `commit ${file}`,
  `sync ${file}`,
])

/** An empty disk, whose databases are in a folder below `root`. */
export const newDisk = (root: string, name: string): FaultyDisk =>
  createFaultyDisk(1, undefined, createFaultyDatabases(join(root, name)))

/** A copy of the disk of a process that has ended, with its databases. */
export function copyOf(disk: FaultyDisk, root: string, name: string): FaultyDisk {
  const databases = createFaultyDatabases(join(root, name))
  cpSync(disk.databaseFolder(), databases.folder, { recursive: true })
  return disk.copy(databases)
}
