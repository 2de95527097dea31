import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Command } from 'commander'
import { exitCodes, type Surroundings, UsageError } from './cli.ts'
import { readPrivate } from './key.ts'

type BackupOptions = { readonly passphraseFile?: string }

/** Shorter ones are guessed. */
const minPassphrase = 12

/** `nodeop backup`: a data folder as one encrypted file. */
export const backupCommand = ({ io, cwd }: Surroundings, finish: (code: number) => void): Command =>
  new Command('backup')
    .description('write a data folder that is at rest into one encrypted file')
    .argument('<folder>', 'what --data named')
    .argument('<file>', 'a new file')
    .option('--passphrase-file <path>', 'a file that only you can read (default: ask)')
    .action(async (folder: string, file: string, { passphraseFile }: BackupOptions) => {
      const { saveBundle } = await import('#node')
      const { requireL1AtRest } = await import('#devnet')
      requireL1AtRest(resolve(cwd, folder))
      const passphrase = await passphraseOf(passphraseFile, cwd)
      const count = await saveBundle(resolve(cwd, folder), resolve(cwd, file), passphrase)
      io.write(`${file}: ${count} files. Without the passphrase nobody can read it, nor can you.`)
      finish(exitCodes.ok)
    })

/** `nodeop restore`: what `nodeop backup` wrote, in a new folder. */
export const restoreCommand = (
  { io, cwd }: Surroundings,
  finish: (code: number) => void,
): Command =>
  new Command('restore')
    .description('put what backup wrote into a new folder')
    .argument('<file>', 'what backup wrote')
    .argument('<folder>', 'a new or empty folder')
    .option('--passphrase-file <path>', 'a file that only you can read (default: ask)')
    .action(async (file: string, folder: string, { passphraseFile }: BackupOptions) => {
      const { restoreBundle } = await import('#node')
      const passphrase = await passphraseOf(passphraseFile, cwd)
      const count = await restoreBundle(resolve(cwd, file), resolve(cwd, folder), passphrase)
      io.write(
        `${folder}: ${count} files. Never run it while the network that it was copied from runs.`,
      )
      finish(exitCodes.ok)
    })

/** From a file or a terminal; a command line is seen by everybody on the machine. */
async function passphraseOf(file: string | undefined, cwd: string): Promise<string> {
  const text = file === undefined ? await ask() : readPrivate(resolve(cwd, file))
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase.length < minPassphrase)
    throw new UsageError(`a passphrase has ${minPassphrase} characters or more`)
  return passphrase
}

async function ask(): Promise<string> {
  if (!process.stdin.isTTY)
    throw new UsageError('--passphrase-file is needed: there is no terminal to ask')
  process.stderr.write('passphrase: ')
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await terminal.question('')
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}
