import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { toJson } from '#api'
import { DomainError } from '#primitives'
import { allocateCommand } from './allocate.ts'
import { backupCommand, restoreCommand } from './backup.ts'
import { exitCodes, type Surroundings, UsageError } from './cli.ts'
import { devnetCommand } from './devnet.ts'
import { guardCommand } from './guard.ts'
import { proveCommand } from './prove.ts'
import { simulateCommand } from './simulate.ts'
import { startCommand } from './start.ts'
import { statusCommand } from './status.ts'
import { taskCommand } from './task.ts'
import { trustCommand } from './trust.ts'

/**
 * Runs one command line.
 *
 * @param args - without the program's name.
 * @returns the exit code: 0 ok, 1 failed, 2 bad usage. Never rejects.
 */
export async function runCli(args: readonly string[], around: Surroundings): Promise<number> {
  const outcome = { code: exitCodes.ok as number }
  const finish = (code: number): void => {
    outcome.code = code
  }
  const program = new Command('nodeop')
    .description('A network of operators that serve together')
    .version(version(), '--version', 'print the version')
    .addCommand(devnetCommand(around, finish))
    .addCommand(startCommand(around, finish))
    .addCommand(trustCommand(around, finish))
    .addCommand(statusCommand(around, finish))
    .addCommand(taskCommand(around, finish))
    .addCommand(proveCommand(around, finish))
    .addCommand(allocateCommand(around, finish))
    .addCommand(simulateCommand(around, finish))
    .addCommand(backupCommand(around, finish))
    .addCommand(restoreCommand(around, finish))
    .addCommand(guardCommand(around, finish))
    .addHelpText('after', '\nExit codes: 0 ok, 1 failed, 2 bad usage.')
  prepare(program, around)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return outcome.code
  } catch (thrown) {
    return report(thrown, args.includes('--json'), around)
  }
}

/** Makes a command and those below it throw instead of exiting, in words of ours. */
function prepare(command: Command, around: Surroundings): void {
  command.helpCommand(false).helpOption('-h, --help', 'show this help')
  command.showSuggestionAfterError(false)
  command.configureOutput({
    writeOut: (text) => around.io.write(text.trimEnd()),
    writeErr: (text) => around.io.error(text.trimEnd()),
    outputError: () => {}, // told below, in one line
  })
  command.exitOverride((error) => {
    throw describe(error, command)
  })
  for (const below of command.commands) prepare(below, around)
}

/** What the parser says, with what is allowed instead. */
function describe(error: CommanderError, command: Command): Error {
  const words = error.message.replace(/^error: /, '').replaceAll("'", '"')
  const allowed = (names: readonly string[]) =>
    new UsageError(`${words} for ${pathOf(command)}; allowed: ${names.join(', ')}`)
  switch (error.code) {
    case 'commander.unknownCommand':
      return allowed(command.commands.map((below) => below.name()))
    case 'commander.unknownOption':
      return allowed(optionsOf(command))
    case 'commander.missingArgument':
    case 'commander.excessArguments':
      return new UsageError(`${words.replace(/\.$/, '')}; usage: ${usageOf(command)}`)
    case 'commander.optionMissingArgument':
      return new UsageError(words)
    default:
      return error
  }
}

const optionsOf = (command: Command): string[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short }) => long ?? short ?? '')

const usageOf = (command: Command): string => `${pathOf(command)} ${command.usage()}`

/** The command with those above it: `nodeop task send`. */
const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()

/** Tells what ended a command, in one line, and as JSON where that was asked for. */
function report(thrown: unknown, json: boolean, { io }: Surroundings): number {
  if (thrown instanceof CommanderError)
    return thrown.code === 'commander.help' ? exitCodes.badUsage : thrown.exitCode
  const { code, message } = inWords(thrown)
  const advice = code === 'GatewaysUnreachable' ? '; start a network with: npm run devnet' : ''
  io.error(`nodeop: ${message}${advice}`)
  if (json) io.write(toJson({ error: { code, message } }))
  return code === 'BadUsage' || code === 'BadOption' ? exitCodes.badUsage : exitCodes.failed
}

const inWords = (thrown: unknown): { readonly code: string; readonly message: string } =>
  thrown instanceof DomainError
    ? { code: thrown.code, message: firstLine(thrown.message) }
    : { code: 'Defect', message: firstLine(`unexpected: ${String(thrown)}`) }

const firstLine = (text: string): string => text.split('\n')[0] ?? ''

/** From the package's own manifest, two folders up from the source and from the build alike. */
function version(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  return (manifest as { readonly version: string }).version
}
