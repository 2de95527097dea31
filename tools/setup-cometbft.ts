// `npm run setup:cometbft`: the CometBFT that operators run, found or built.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  CometMissingError,
  cometModule,
  cometToolsFolder,
  cometVersion,
  findComet,
} from '#consensus'

const goPackage = `${cometModule}/cmd/cometbft@${cometVersion}`
const goInstallMs = 20 * 60_000

/** The path of the program, or nothing when there is none yet. */
function find(): string | undefined {
  try {
    return findComet(process.env.PATH ?? '').path
  } catch (error) {
    if (error instanceof CometMissingError) return undefined
    throw error
  }
}

const hasGo = (): boolean => spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0

/** Builds it into our own folder; what Go has to say goes to standard error. @returns whether. */
function build(): boolean {
  const folder = resolve(cometToolsFolder)
  mkdirSync(folder, { recursive: true })
  const { status } = spawnSync('go', ['install', goPackage], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: goInstallMs,
    env: { ...process.env, GOBIN: folder },
  })
  return status === 0
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** @returns the exit code: 1 when it should have been built and was not. */
function main(): number {
  const found = find()
  if (found) {
    say(`CometBFT ${cometVersion}: ${found}`)
    return 0
  }
  if (!hasGo()) {
    say(
      `CometBFT ${cometVersion} is not installed, nor is Go to build it: install Go 1.25 or newer ` +
        '(https://go.dev/dl), then run this again. The embedded engine needs neither.',
    )
    return 0
  }
  say(`Building CometBFT ${cometVersion}: a few minutes, the first time …`)
  const built = build() ? find() : undefined
  say(
    built
      ? `CometBFT ${cometVersion}: ${built}`
      : `CometBFT was not built: see what Go said above. By hand: go install ${goPackage}`,
  )
  return built ? 0 : 1
}

process.exitCode = main()
