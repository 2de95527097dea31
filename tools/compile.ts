// Compiles Solidity with the compiler and the settings that forge uses.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const root: string = fileURLToPath(new URL('..', import.meta.url))

/** What foundry.toml says, for the compiler itself: no metadata, so that bytecode is its code. */
const settings = {
  optimizer: { enabled: true, runs: 10_000 },
  evmVersion: 'osaka',
  viaIR: false,
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'metadata'] } },
}

/** One entry of a contract's ABI, as the compiler writes it. */
export type AbiEntry = { readonly type: string; readonly name?: string }

/** One contract as the compiler gave it. */
export type Compiled = {
  readonly name: string
  readonly abi: readonly AbiEntry[]
  /** Creation code, with 0x. */
  readonly bytecode: `0x${string}`
  /** Paths of the sources that it is made of, its own included, sorted. */
  readonly sources: readonly string[]
}

/** Sources by path from the repository's root. */
export type Sources = Readonly<Record<string, string>>

/** The Solidity files of a folder, not of folders below it. */
export function readSources(folder: string): Sources {
  const files = readdirSync(join(root, folder)).filter((file) => file.endsWith('.sol'))
  return Object.fromEntries(
    files.sort().map((file) => {
      const path = join(root, folder, file)
      return [relative(root, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')]
    }),
  )
}

/**
 * Every contract of the sources, by name.
 *
 * @throws Error with the compiler's own messages.
 */
export function compile(sources: Sources): ReadonlyMap<string, Compiled> {
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(
      Object.entries(sources).map(([path, content]) => [path, { content }]),
    ),
    settings,
  }
  const run = spawnSync(process.execPath, [join(root, 'tools', 'solc-launcher.cjs')], {
    input: JSON.stringify(input),
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  })
  if (run.status !== 0) throw new Error(`the Solidity compiler failed:\n${run.stderr}`)
  return readOutput(JSON.parse(run.stdout) as Output)
}

type Output = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, OutputContract>>>>
}

type OutputContract = {
  readonly abi: readonly AbiEntry[]
  readonly metadata: string
  readonly evm: { readonly bytecode: { readonly object: string } }
}

function readOutput({ errors = [], contracts = {} }: Output): ReadonlyMap<string, Compiled> {
  const fatal = errors.filter(({ severity }) => severity === 'error')
  if (fatal.length > 0) throw new Error(fatal.map((error) => error.formattedMessage).join('\n'))
  const entries = Object.values(contracts).flatMap((file) => Object.entries(file))
  return new Map(
    entries.map(([name, { abi, metadata, evm }]) => {
      const { sources } = JSON.parse(metadata) as { sources: Record<string, unknown> }
      const compiled = { name, abi, bytecode: `0x${evm.bytecode.object}` as const }
      return [name, { ...compiled, sources: Object.keys(sources).sort() }]
    }),
  )
}

/** The settings and the compiler's version as one text: part of what an artifact depends on. */
export function describeCompiler(): string {
  const { version } = JSON.parse(
    readFileSync(join(root, 'node_modules', 'solc', 'package.json'), 'utf8'),
  ) as { version: string }
  return JSON.stringify({ solc: version, settings })
}
