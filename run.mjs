// Entry of every npm script. Plain JavaScript for Node 20 without dependencies: it installs what the
// lockfile names, finds a Node that runs TypeScript (24 or newer) and starts the named program on it.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))
const neededNodeMajor = 24

/** Program of each script: what to install first, and the argument lists to run in turn. */
const programs = {
  devnet: { install: 'run', steps: [['src/cli/main.ts', 'devnet']] },
  nodeop: { install: 'run', steps: [['src/cli/main.ts']] },
  bench: { install: 'test', steps: [['bench/main.ts']] },
  check: { install: 'test', steps: [['test/check.ts']] },
  test: { install: 'test', steps: [['test/main.ts']] },
  build: { install: 'test', steps: [['tools/build.ts']] },
  artifacts: { install: 'test', steps: [['tools/artifacts.ts']] },
  format: {
    install: 'test',
    steps: [['node_modules/@biomejs/biome/bin/biome', 'check', '--write', '.']],
  },
}

const [name = '', ...args] = process.argv.slice(2)
const program = programs[name]
if (!program) fail(`unknown script "${name}"; allowed: ${Object.keys(programs).join(', ')}`, 2)
install(program.install)
run(findNode(), program.steps)

/**
 * Installs when the lockfile changed since the last install. `run` leaves out what only the tests need
 * (the second Node); it never removes anything. `npm install --no-save` because `npm ci` refuses a
 * lockfile whose optional platform packages a registry lacks.
 */
function install(scope) {
  const stampFile = join(root, 'node_modules', '.nodeop-installed.json')
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = readStamp(stampFile)
  if (stamp.lock === lock && (stamp.scope === scope || stamp.scope === 'test')) return
  const scoped = scope === 'run' ? ['--workspace', 'tools', '--include-workspace-root'] : []
  process.stderr.write(
    `Installing what package-lock.json names (about 250 MB on disk for running, 600 MB for tests) …\n`,
  )
  const npm = process.env.npm_execpath
  const command = npm ? [process.execPath, npm] : [process.platform === 'win32' ? 'npm.cmd' : 'npm']
  const flags = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--ignore-scripts',
    ...scoped,
  ]
  const done = spawnSync(command[0], [...command.slice(1), ...flags], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: withoutNpmScope(process.env),
  })
  if (done.status !== 0)
    fail(
      'npm install failed; its message is above. Run the command again when the network is back.',
      1,
    )
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  writeFileSync(stampFile, JSON.stringify({ lock, scope }))
}

function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {} // no stamp yet, or a torn one: install
  }
}

/** npm hands its own options to scripts as environment; an inner install must not inherit them. */
function withoutNpmScope(env) {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([key]) =>
        !/^npm_config_(workspace|workspaces|include_workspace_root|prefix|local_prefix|save|omit|include)$/i.test(
          key,
        ),
    ),
  )
}

function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= neededNodeMajor) return process.execPath
  const bundled = ['x64', 'arm64']
    .map((arch) => join(root, 'node_modules', `node-linux-${arch}`, 'bin', 'node'))
    .find((file) => file.includes(`-${process.arch}`) && existsSync(file))
  return (
    bundled ??
    fail(
      `Node ${neededNodeMajor} or newer is needed on this platform; this is ${process.version}`,
      1,
    )
  )
}

/** Runs the steps one after another; signals go to the running child, its exit code is ours. */
function run(node, steps) {
  const [step, ...rest] = steps
  if (!step) process.exit(0)
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...step, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, NODEOP_CWD: process.cwd() },
  })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  process.on('SIGINT', () => {}) // the terminal sends it to the child too, which drains
  child.on('exit', (code, signal) => {
    if (code !== 0) process.exit(code ?? (signal === 'SIGINT' ? 130 : 1))
    run(node, rest)
  })
}

function fail(message, code) {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}
