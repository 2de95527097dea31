import { join } from 'node:path'
import { lockFile, restoredFile, restoredText, saveFile } from '#node'
import { type Disk, type Logger, utf8 } from '#primitives'

/**
 * Holds back operators of a kept network whose folders are gone: their keys are in the network's
 * own file and may have signed, and nobody has noted what. Each is silent like one from a backup,
 * until it knows that it cannot have signed what it signs. One that never came to run loses a few
 * seconds by it.
 *
 * @param disk - of the network's folder.
 */
export async function holdLost(
  disk: Disk,
  members: readonly { readonly name: string }[],
  logger: Logger,
): Promise<void> {
  for (const { name } of members) {
    const files = await disk.list(name)
    if (!files.every((file) => file.startsWith(lockFile))) continue
    logger.warn('the folder of an operator is gone: it is held like one from a backup', {
      operator: name,
    })
    await disk.makeFolder(name)
    await saveFile(disk, join(name, restoredFile), utf8(restoredText))
  }
}
