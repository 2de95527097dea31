// Entry of every npm script. Plain JavaScript for Node 20 without dependencies: it installs what
// the lockfile names, finds a Node that runs TypeScript (24 or newer) and starts the named program.
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))
const modules = join(root, 'node_modules')
/** What Node has made of each module, types stripped: programs start in half the time. */
const compiledFolder = join(modules, '.nodeop-compiled')
const stampFile = join(modules, '.nodeop-installed.json')
const lockFile = join(modules, '.nodeop-installing.json')
const neededNodeMajor = 24
const nodeIsNewEnough = Number(process.versions.node.split('.')[0]) >= neededNodeMajor

/** Program of each script: the packages it needs, and what Node runs. */
const programs = {
  devnet: { needs: 'run', start: ['src/cli/main.ts', 'devnet'] },
  nodeop: { needs: 'run', start: ['src/cli/main.ts'] },
  soak: { needs: 'test', start: ['test/soak/main.ts'] },
  sim: { needs: 'run', start: ['test/sim/main.ts'] },
  bench: { needs: 'test', start: ['bench/main.ts'] },
  check: { needs: 'test', start: ['test/check.ts'] },
  test: { needs: 'test', start: ['test/main.ts'] },
  build: { needs: 'test', start: ['tools/build.ts'] },
  artifacts: { needs: 'test', start: ['tools/artifacts.ts'] },
  golden: { needs: 'test', start: ['tools/golden.ts'] },
  plots: { needs: 'test', start: ['tools/plots.ts'] },
  protobuf: { needs: 'test', start: ['tools/protobuf.ts'] },
  format: { needs: 'test', start: ['tools/format.ts'] },
  'setup:cometbft': { needs: 'run', start: ['tools/setup-cometbft.ts'] },
}

/**
 * What npm is told for each set of packages: `run` is what the programs import and the L1 node;
 * `node` adds a Node of its own, where the installed one is too old; `test` is everything. The
 * megabytes are those of Linux x64 with an empty npm cache.
 */
const scopes = {
  run: { flags: ['--omit=dev', '--workspaces=false'], download: 51, disk: 135 },
  node: {
    flags: ['--omit=dev', '--workspace', 'tools/node', '--include-workspace-root'],
    download: 101,
    disk: 318,
  },
  test: { flags: ['--include=dev'], download: 342, disk: 1041 },
}
const ranks = Object.keys(scopes) // each holds the ones before it

const [name = '', ...args] = process.argv.slice(2)
const program = programs[name]
if (!program) fail(`unknown script "${name}"; allowed: ${Object.keys(programs).join(', ')}`, 2)
await install(program.needs === 'run' && !nodeIsNewEnough ? 'node' : program.needs)
start(findNode(), [...program.start, ...args])

/**
 * Installs when the lockfile changed since the last install, or more is needed than was installed.
 * Never less than before, so that running does not remove what testing needs.
 */
async function install(needed) {
  if (isInstalled(needed)) return
  mkdirSync(modules, { recursive: true })
  const interrupted = await lock(needed)
  if (interrupted === 'done elsewhere') return
  const before = readJson(stampFile)?.scope
  const scope = ranks[Math.max(ranks.indexOf(needed), ranks.indexOf(before))]
  rmSync(stampFile, { force: true }) // from here on the folder is no longer what the stamp said
  if (interrupted) {
    say('An earlier install was interrupted: starting afresh.')
    for (const entry of readdirSync(modules).filter((name) => name !== basename(lockFile)))
      rmSync(join(modules, entry), { recursive: true, force: true })
  }
  const { download, disk } = scopes[scope]
  say(`Installing packages: up to ${download} MB to download, ${disk} MB on disk …`)
  const startedMs = Date.now()
  await npmInstall(scopes[scope].flags)
  writeFileSync(stampFile, JSON.stringify({ lockfile: lockfileHash(), scope }))
  rmSync(lockFile, { force: true })
  say(`Installed in ${Math.round((Date.now() - startedMs) / 1000)} s.`)
}

function isInstalled(needed) {
  const stamp = readJson(stampFile)
  return stamp?.lockfile === lockfileHash() && ranks.indexOf(stamp.scope) >= ranks.indexOf(needed)
}

function lockfileHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
}

/**
 * Runs npm. The flags undo what a user's own npm settings could change. `install --no-save` and not
 * `ci`, which refuses a lockfile whose optional platform packages a registry lacks. No links in
 * `.bin`: npm puts that folder in front of PATH, and a `node` in it would replace the user's.
 */
async function npmInstall(scopeFlags) {
  const cli = process.env.npm_execpath ?? ''
  const underNpm = basename(cli) === 'npm-cli.js' && existsSync(cli)
  const [command, ...first] = underNpm ? [process.execPath, cli] : ['npm']
  const flags = `install --no-save --package-lock=true --include=optional --ignore-scripts
    --no-bin-links --install-strategy=hoisted --engine-strict=false --no-global --no-dry-run
    --no-audit --no-fund --no-update-notifier --fetch-timeout=60000 --loglevel=error`.split(/\s+/)
  const child = spawn(command, [...first, ...flags, ...scopeFlags], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: withoutNpmScope(process.env),
    shell: process.platform === 'win32', // npm is a .cmd file there
  })
  writeFileSync(lockFile, JSON.stringify({ ...readJson(lockFile), npm: child.pid }))
  const stopped = passSignals(child, ['SIGINT', 'SIGTERM', 'SIGHUP'])
  const { code, signal, error } = await ended(child)
  if (signal || stopped.signal) process.exit(exitCodeOf(stopped.signal ?? signal)) // stays locked
  if (code === 0) return
  rmSync(lockFile, { force: true }) // npm put back what it had changed
  const cause = error ? `npm could not be started (${error.message}).` : 'npm install failed.'
  fail(`${cause} Run the command again when that is mended; what is there already is kept.`, 1)
}

/** npm hands its own options to scripts as environment; an inner install must not inherit them. */
function withoutNpmScope(env) {
  const names = 'workspaces?|include_workspace_root|(local_)?prefix|location|only|omit|include'
  const scoped = new RegExp(`^npm_config_(${names}|production|before)$`, 'i')
  return Object.fromEntries(Object.entries(env).filter(([key]) => !scoped.test(key)))
}

/**
 * Waits until no other process installs here, then holds the folder for this one. The lock file
 * stays behind when an install is killed, and so tells the next that packages may be half written.
 *
 * @returns whether an earlier install was interrupted, or 'done elsewhere' when the wait made this
 * install needless.
 */
async function lock(needed) {
  const mine = JSON.stringify({ pid: process.pid, id: randomUUID() })
  let interrupted = false
  for (let waits = 0; ; waits++) {
    try {
      writeFileSync(lockFile, mine, { flag: 'wx' })
      return interrupted
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holder = readJson(lockFile)
    if (holder && ![holder.pid, holder.npm].some(isAlive)) {
      interrupted = removeLock(holder) || interrupted
      continue
    }
    if (waits === 4) say(`Waiting until process ${holder?.pid} has installed (${lockFile}) …`)
    await sleep(250)
    if (!existsSync(lockFile) && isInstalled(needed)) return 'done elsewhere'
  }
}

/** Removes a dead process's lock; a living one's that took its place meanwhile is put back. */
function removeLock(holder) {
  const aside = `${lockFile}.${process.pid}`
  try {
    renameSync(lockFile, aside)
    const mistaken = readJson(aside)?.id !== holder.id
    if (mistaken) linkSync(aside, lockFile)
    rmSync(aside)
    return !mistaken
  } catch {
    return false // another process was faster
  }
}

function isAlive(pid) {
  if (!pid || pid === process.pid) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined // not there, or being written
  }
}

function findNode() {
  if (nodeIsNewEnough) return process.execPath
  const bundled = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(bundled)) return bundled
  return fail(
    `Node ${neededNodeMajor} or newer is needed on this platform; this is ${process.version}`,
    1,
  )
}

/** Runs Node on the program; signals go to it, and its exit code is ours. */
async function start(node, argv) {
  const { INIT_CWD, npm_package_json } = process.env
  const asked = npm_package_json === join(root, 'package.json') ? INIT_CWD : undefined
  const env = { NODE_COMPILE_CACHE: compiledFolder, ...process.env }
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...argv], {
    cwd: root,
    stdio: 'inherit',
    env: { ...env, NODEOP_CWD: asked ?? process.cwd() }, // where the user stands
  })
  passSignals(child, ['SIGINT', 'SIGTERM', 'SIGHUP'])
  const { code, signal, error } = await ended(child)
  if (error) fail(`${node} does not start on this system: ${error.message}`, 1)
  process.exit(code ?? exitCodeOf(signal))
}

/** Keeps this process until the child has ended. A terminal sends Ctrl-C to the child by itself. */
function passSignals(child, signals) {
  const seen = { signal: undefined }
  for (const signal of signals)
    process.on(signal, () => {
      seen.signal = signal
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  return seen
}

function ended(child) {
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }))
    child.on('error', (error) => resolve({ code: 1, error }))
  })
}

function exitCodeOf(signal) {
  return 128 + (constants.signals[signal] ?? 1)
}

function say(line) {
  process.stderr.write(`${line}\n`)
}

function fail(message, code) {
  say(message)
  process.exit(code)
}
