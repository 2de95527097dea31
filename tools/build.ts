// `npm run build`: the package as it is published, in dist/ or the folder that is named.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const root = join(import.meta.dirname, '..')

/** The parts of the project's own manifest that the published one keeps. */
type Manifest = {
  readonly version: string
  readonly description: string
  readonly license: string
  readonly dependencies: Readonly<Record<string, string>>
}

/**
 * Where the code goes: as deep as `src`, so that what it finds beside itself stays where it was.
 */
const code = 'lib'

/** The oldest Node that runs the package. */
const nodeMajor = 24

const launcher = `#!/usr/bin/env node
if (Number(process.versions.node.split('.')[0]) < ${nodeMajor}) {
  process.stderr.write(\`nodeop needs Node ${nodeMajor} or newer; this is \${process.version}\\n\`)
  process.exit(1)
}
await import('./${code}/cli/main.js')
`

function build(out: string): void {
  rmSync(out, { recursive: true, force: true })
  compile(out)
  const assets = globSync('**/*.{html,css,js}', { cwd: join(root, 'src') })
  for (const file of assets) cpSync(join(root, 'src', file), join(out, code, file))
  for (const page of ['README.md', 'LICENSE', 'CHANGELOG.md'])
    if (existsSync(join(root, page))) cpSync(join(root, page), join(out, page))
  writeFileSync(join(out, 'bin.js'), launcher)
  chmodSync(join(out, 'bin.js'), 0o755)
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest(own, out), null, 2)}\n`)
}

/** JavaScript and types; whatever the compiler says ends the build. */
function compile(out: string): void {
  const tsc = join(root, 'node_modules/typescript-compiler/bin/tsc')
  const project = join(root, 'tsconfig.build.json')
  const { status } = spawnSync(
    process.execPath,
    [tsc, '-p', project, '--outDir', join(out, code)],
    {
      stdio: 'inherit',
    },
  )
  if (status === 0) return
  process.stderr.write('The package was not built: the types above do not hold.\n')
  process.exit(1)
}

/** `#room` leads to the compiled doors; the same doors are what `nodeop/room` offers. */
function manifest({ version, description, license, dependencies }: Manifest, out: string) {
  const doors = globSync(['*/index.js', 'services/*/index.js'], { cwd: join(out, code) }).sort()
  const rooms = doors.map((door) => [`./${dirname(door)}`, `./${code}/${door}`])
  return {
    name: 'nodeop',
    version,
    description,
    license,
    type: 'module',
    engines: { node: `>=${nodeMajor}` },
    bin: { nodeop: './bin.js' },
    imports: { '#*': `./${code}/*/index.js` },
    exports: {
      '.': `./${code}/index.js`,
      ...Object.fromEntries(rooms),
      './package.json': './package.json',
    },
    dependencies,
  }
}

const [folder = join(root, 'dist')] = process.argv.slice(2)
build(resolve(process.env.NODEOP_CWD ?? '', folder))
