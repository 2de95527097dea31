import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HDKey, mnemonicToAccount, privateKeyToAddress } from 'viem/accounts'
import { createL1Client } from '#ethereum'
import { makeFolders } from '#node'
import { DomainError, type Hex, type Logger, toHex } from '#primitives'
import { freePort, portInUse } from './free-port.ts'
import { adoptL1, noteL1, originOf, shutdownLimitMs } from './l1-adopt.ts'
import { keepCopies, mendState, stateFile } from './l1-state.ts'

/** How to run the devnet's L1. */
export type L1Options = {
  /** Absent or 0: any free one. */
  readonly port?: number
  /**
   * Where its chain is kept, written each second; absent: it ends with this process. With a folder
   * it outlives us when we are killed, and the next start on the folder takes it up again.
   */
  readonly stateDir?: string
  readonly chainId?: number
  readonly blockTimeS?: number
  /** Accounts of `devnetAccount` that hold 10,000 ether each. */
  readonly accounts?: number
  readonly logger: Logger
  /** Called when it dies by itself after it has started; what it complained of, if anything. */
  readonly onExit?: (complaint: string) => void
  /** The anvil to run; the installed one when absent. */
  readonly binary?: string
}

/** A running L1. */
export type L1Process = {
  readonly url: string
  readonly chainId: number
  readonly pid: number
  /** Ends it, and returns when it has ended: with `stateDir`, its chain is on disk then. */
  stop(): Promise<void>
}

/**
 * Starts anvil as the L1, mining a block every second. It runs in a process group of its own, so
 * that Ctrl-C in a terminal leaves it alone until the operators have drained.
 *
 * @throws AnvilMissingError, PortInUseError, AnvilDiedError: one clear line each.
 */
export async function startL1(options: L1Options): Promise<L1Process> {
  const { stateDir, logger } = options
  if (stateDir === undefined) return await launchL1(options)
  const l1 = (await adoptL1({ ...options, stateDir })) ?? (await launchL1(options))
  const endCopies = keepCopies(stateDir, logger)
  return { ...l1, stop: () => endCopies().then(l1.stop) }
}

async function launchL1(options: L1Options): Promise<L1Process> {
  const binary = options.binary ?? findAnvil()
  const chainId = options.chainId ?? defaultChainId
  const port = await freePort(options.port ?? 0)
  const folder = options.stateDir ?? mkdtempSync(join(tmpdir(), 'nodeop-l1-'))
  await makeFolders(folder, 0o700)
  if (options.stateDir) await mendState(options.stateDir, options.logger)
  const logFile = join(folder, 'anvil.log')
  const child = launch(binary, argumentsOf(options, chainId, port), logFile)
  const anvil: Anvil = { child, logFile, exited: exitOf(child), stopping: false }
  const running = { pid: child.pid ?? 0, port, chainId }
  if (options.stateDir && child.pid !== undefined) noteL1(options.stateDir, running)
  const url = `http://127.0.0.1:${port}`
  try {
    await ready(anvil, url, port, binary)
    if (options.stateDir) noteL1(options.stateDir, { ...running, origin: await originOf(url) })
  } catch (error) {
    await end(anvil)
    if (!options.stateDir) rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const killWithUs = () => child.kill('SIGKILL')
  if (!options.stateDir) process.once('exit', killWithUs)
  void anvil.exited.then(() => {
    process.off('exit', killWithUs)
    if (!anvil.stopping) options.onExit?.(complaintIn(logFile))
  })
  const { pid } = running
  options.logger.info('L1 started', { url, chainId, pid })
  return {
    url,
    chainId,
    pid,
    stop: async () => {
      await end(anvil)
      if (!options.stateDir) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** One of the funded accounts; anvil publishes the mnemonic, so these keys are nobody's secret. */
export function devnetAccount(index: number): { readonly address: Hex; readonly privateKey: Hex } {
  publishedKeys ??= mnemonicToAccount(publishedMnemonic, { path: "m/44'/60'/0'/0" }).getHdKey()
  const { privateKey } = publishedKeys.deriveChild(index)
  if (!privateKey) throw new Error('defect: a derived account without its key')
  const hex = toHex(privateKey)
  return { address: privateKeyToAddress(hex).toLowerCase() as Hex, privateKey: hex }
}

/** What the accounts of the phrase derive from; from the phrase itself it is slow to come by. */
let publishedKeys: HDKey | undefined

const publishedMnemonic = 'test test test test test test test test test test test junk'

/** Anvil's own default, known to wallets as a local network. */
const defaultChainId = 31_337

type Anvil = {
  readonly child: ChildProcess
  readonly logFile: string
  /** Resolves when the process is gone, or could not be started: with that error. */
  readonly exited: Promise<Error | undefined>
  stopping: boolean
}

/** The platform's binary from npm, beside the launcher package that depends on it. */
function findAnvil(): string {
  const { platform } = process
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const name = `@foundry-rs/anvil-${platform}-${arch}`
  const file = platform === 'win32' ? 'anvil.exe' : 'anvil'
  try {
    const launcher = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
    return createRequire(launcher).resolve(`${name}/bin/${file}`)
  } catch (cause) {
    throw new AnvilMissingError(
      `anvil, the devnet's L1, is not installed: npm package ${name} is missing; run npm install`,
      { wanted: name },
      cause,
    )
  }
}

const argumentsOf = (options: L1Options, chainId: number, port: number): readonly string[] => [
  ...['--host', '127.0.0.1', '--port', String(port), '--quiet'],
  ...['--chain-id', String(chainId), '--hardfork', 'osaka'],
  ...['--block-time', String(options.blockTimeS ?? 1), '--slots-in-an-epoch', '1'],
  ...['--accounts', String(options.accounts ?? 10), '--mnemonic', publishedMnemonic],
  ...(options.stateDir ? stateArguments(options.stateDir) : []),
]

/**
 * The chain and its newest state. States of earlier blocks are left out: they would add 50 kB a
 * block to what is written each second, and only a reorganisation that goes below the block of a
 * reload needs them.
 */
const stateArguments = (stateDir: string): readonly string[] => [
  ...['--state', stateFile(stateDir), '--state-interval', '1'],
]

/** Its words go to a file, not to a pipe: it must outlive us. */
function launch(binary: string, args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'w')
  try {
    return spawn(binary, args, { detached: true, stdio: ['ignore', 'ignore', log] })
  } finally {
    closeSync(log)
  }
}

const exitOf = (child: ChildProcess): Promise<Error | undefined> =>
  new Promise((resolve) => {
    child.once('error', resolve)
    child.once('exit', () => resolve(undefined))
  })

/** Waits until it answers. @throws the reason why it never will. */
async function ready(anvil: Anvil, url: string, port: number, binary: string): Promise<void> {
  const client = createL1Client(url, 1_000)
  let gone: { readonly error: Error | undefined } | undefined
  void anvil.exited.then((error) => {
    gone = { error }
  })
  const deadlineMs = Date.now() + startupLimitMs
  for (;;) {
    const answered = await client.getChainId().catch(() => undefined)
    if (gone) throw whyGone(gone.error, complaintIn(anvil.logFile), port, binary)
    if (answered !== undefined) return
    if (Date.now() > deadlineMs)
      throw new AnvilDiedError(
        `anvil did not answer on port ${port} within ${startupLimitMs / 1_000} s`,
        { said: '' },
      )
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function whyGone(error: Error | undefined, said: string, port: number, binary: string): Error {
  if (error)
    return new AnvilMissingError(
      `anvil, the devnet's L1, cannot be started: ${error.message}`,
      { wanted: binary },
      error,
    )
  if (/address already in use/i.test(said)) return portInUse(port, '127.0.0.1')
  return new AnvilDiedError(`anvil died at start: ${said || 'it said nothing'}`, { said })
}

/** SIGTERM lets it write its state; after a while it is killed. */
async function end(anvil: Anvil): Promise<void> {
  anvil.stopping = true
  anvil.child.kill('SIGTERM')
  const kill = setTimeout(() => anvil.child.kill('SIGKILL'), shutdownLimitMs)
  await anvil.exited
  clearTimeout(kill)
}

/** The line that names an error, else the last one; empty when it said nothing. */
function complaintIn(file: string): string {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return lines.find((line) => /^error/i.test(line)) ?? lines.at(-1) ?? ''
}

/** A chain of many blocks takes seconds to load. */
const startupLimitMs = 60_000

/** There is no anvil to run as the devnet's L1. */
export class AnvilMissingError extends DomainError<'AnvilMissing', { wanted: string }> {
  override readonly code = 'AnvilMissing'
}

/** Anvil ended, or never answered, before it was of use. */
export class AnvilDiedError extends DomainError<'AnvilDied', { said: string }> {
  override readonly code = 'AnvilDied'
}
