import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import type { Floor, GuardOwner } from '#node'
import { DomainError } from '#primitives'
import { exitCodes, type Surroundings, UsageError } from './cli.ts'

type GuardOptions = { readonly data?: string }

/** `nodeop guard`: what an operator has signed at most, carried from one folder to another. */
export const guardCommand = (around: Surroundings, finish: (code: number) => void): Command =>
  new Command('guard')
    .description('carry what an operator has signed at most to another folder')
    .addCommand(exportCommand(around, finish))
    .addCommand(importCommand(around, finish))

const dataOption = ['--data <folder>', "the operator's folder, at rest (default: .)"] as const

const exportCommand = ({ io, cwd }: Surroundings, finish: (code: number) => void): Command =>
  new Command('export')
    .description('write the watermark: the last position that each of its keys has signed')
    .argument('[file]', 'a new file (default: standard output)')
    .option(...dataOption)
    .action(async (file: string | undefined, { data = '.' }: GuardOptions) => {
      const { createLogger, exportWatermark } = await import('#node')
      const folder = resolve(cwd, data)
      const owner = await ownerOf(folder)
      const text = await exportWatermark({
        folder,
        owner,
        logger: createLogger('warn', { folder }),
      })
      if (file === undefined) io.write(text.trimEnd())
      else {
        writeNew(resolve(cwd, file), text)
        io.write(`${file}: the watermark of operator ${owner.operator}`)
      }
      finish(exitCodes.ok)
    })

const importCommand = ({ io, cwd }: Surroundings, finish: (code: number) => void): Command =>
  new Command('import')
    .description('sign nothing up to a watermark from now on, nor up to what the folder knows')
    .argument('<file>', 'what export wrote')
    .option(...dataOption)
    .action(async (file: string, { data = '.' }: GuardOptions) => {
      const { createLogger, importWatermark } = await import('#node')
      const folder = resolve(cwd, data)
      const text = readText(resolve(cwd, file))
      const owner = await ownerOf(folder)
      const logger = createLogger('warn', { folder })
      const floor = await importWatermark({ folder, owner, logger }, text)
      io.write(`operator ${owner.operator} signs from now on: ${describe(floor)}`)
      finish(exitCodes.ok)
    })

/** @throws NoOperatorFolderError */
async function ownerOf(folder: string): Promise<GuardOwner> {
  const { createDisk, ownerInFolder } = await import('#node')
  const { ownerInDevnet } = await import('#devnet')
  const find = async () =>
    (await ownerInFolder(createDisk(folder))) ?? (await ownerInDevnet(folder))
  const owner = existsSync(folder) ? await find() : undefined
  if (owner) return owner
  throw new NoOperatorFolderError(
    `${folder} is no operator's folder: name one that ran before or holds operator.keys, such as ` +
      join(folder, 'operator-1'),
    { folder },
  )
}

function describe({ vote, report, transaction }: Floor): string {
  const reports = report === undefined ? 'any report' : `reports after ${report}`
  return `${describeVote(vote)}; ${reports}; L1 nonces from ${transaction}`
}

function describeVote(vote: Floor['vote']): string {
  if (!vote) return 'any vote'
  if (vote.height === 0) return "votes by CometBFT's record, which is to be copied too"
  return `votes after the ${vote.step} of height ${vote.height}, round ${vote.round}`
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${String(error)}`)
  }
}

function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx', flush: true })
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${String(error)}`)
  }
}

/** A folder in which nothing says whose it is. */
export class NoOperatorFolderError extends DomainError<
  'NoOperatorFolder',
  { readonly folder: string }
> {
  override readonly code = 'NoOperatorFolder'
}
