import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { rules } from './problem.ts'
import { checkTidy, describe } from './tidy.ts'

const root = join(import.meta.dirname, '../..')
const planted = mkdtempSync(join(tmpdir(), 'nodeop tidy '))
after(() => rmSync(planted, { recursive: true }))

/** A small project that keeps every rule, and what each plant replaces or adds. */
const clean: Readonly<Record<string, string>> = {
  'src/primitives/index.ts': "export * from './wei.ts'\n",
  'src/primitives/wei.ts': `import { sha256 } from '@noble/hashes/sha2.js'
/** One. */
export const one = 10n ** 18n + BigInt(sha256.length) + BigInt(Math.max(1, 2 ** 5))
`,
  'src/records/index.ts':
    "import { one } from '#primitives'\n/** Two. */\nexport const two = one + one\n",
  'src/threshold/index.ts':
    "export { judge } from './judges.ts'\nexport { deal } from './deal.ts'\n",
  'src/threshold/judges.ts': '/** Yes. */\nexport const judge = () => true\n',
  'src/threshold/deal.ts': '/** No. */\nexport const deal = () => false\n',
  'src/protocol/index.ts': `import { judge } from '#threshold'
/** What it holds, in a fixed order. */
export const names = Object.keys({ a: judge() }).sort()
/** Fields may be called like globals. */
export type Fields = { readonly process: string; readonly Date: number }
`,
  'src/consensus/index.ts': "export * from './core/index.ts'\n",
  'src/consensus/core/index.ts': '/** A height. */\nexport const height = 1\n',
  'src/consensus/embedded/engine.ts': `import { height } from '../core/index.ts'
/** When it started. */
export const start = () => Date.now() + height
`,
  'src/services/price/index.ts': "export * from './state/median.ts'\nexport * from './feed.ts'\n",
  'src/services/price/feed.ts':
    '/** A quote. */\nexport const quote = () => fetch("http://127.0.0.1")\n',
  'src/services/price/state/median.ts': '/** Middle. */\nexport const middle = 1n\n',
  'src/services/risk/index.ts': '/** Risk. */\nexport const risk = 0.5\n',
  'src/api/index.ts':
    "import type { Fields } from '#protocol'\n/** A view. */\nexport type View = Fields\n",
  'src/node/wire.ts':
    "import { middle } from '#services/price'\n/** All. */\nexport const all = [middle, process.env['X']]\n",
  'src/primitives/wei.test.ts':
    "import { names } from '#protocol'\nimport { one } from '#primitives'\nexport const x = [names, one, Math.random()]\n",
  'docs/page.md': 'See docs/page.md.\n',
  'test/all.test.ts': "import { one } from '#primitives'\nexport const y = one\n",
}

type Plant = { readonly what: string; readonly file: string; readonly text: string }

const plant = (what: string, file: string, text: string): Plant => ({ what, file, text })
const inside = (what: string, line: string): Plant =>
  plant(what, 'src/protocol/planted.ts', `/** Planted. */\n${line}\n`)
const stray = (...parts: readonly string[]): string => parts.join('')

/** Every way to break each rule that its check knows. */
const plants: Readonly<Record<(typeof rules)[number], readonly Plant[]>> = {
  layers: [
    plant('a room above', 'src/primitives/x.ts', "import '#records'\n"),
    plant(
      'a type of a room above',
      'src/records/x.ts',
      "import type { Fields } from '#protocol'\n",
    ),
    plant('another service', 'src/services/price/x.ts', "import '#services/risk'\n"),
    plant('the command line', 'src/devnet/x.ts', "import '#cli'\n"),
    plant('values of protocol in api', 'src/api/x.ts', "import { names } from '#protocol'\n"),
    plant('an import() of a room above', 'src/primitives/x.ts', "await import('#records')\n"),
    plant('a re-export of a room above', 'src/primitives/x.ts', "export * from '#records'\n"),
    plant('an import type', 'src/primitives/x.ts', "type A = import('#records').B\n"),
    plant(
      'threshold beyond its judges',
      'src/protocol/x.ts',
      "import { deal } from '#threshold'\n",
    ),
    plant('all of threshold', 'src/protocol/x.ts', "import * as all from '#threshold'\n"),
    plant(
      'the engine from the core',
      'src/consensus/core/x.ts',
      "import '../embedded/engine.ts'\n",
    ),
    plant('a feed from state', 'src/services/price/state/x.ts', "import '../feed.ts'\n"),
    plant('a room without rules', 'src/fresh/x.ts', "import '#primitives'\n"),
  ],
  doors: [
    plant('another room by path', 'src/records/x.ts', "import '../primitives/wei.ts'\n"),
    plant('a file of another room', 'src/records/x.ts', "import '#primitives/wei'\n"),
    plant('a folder of another room', 'src/node/x.ts', "import '#services/price/state'\n"),
    plant('its own door', 'src/records/x.ts', "import '#records'\n"),
    plant('a room by path from a test', 'test/x.test.ts', "import '../src/primitives/wei.ts'\n"),
    plant('what does not ship', 'src/records/x.ts', "import '../../test/all.test.ts'\n"),
  ],
  packages: [
    plant('a package', 'src/protocol/x.ts', "import 'viem'\n"),
    plant('a part of a package', 'src/primitives/x.ts', "import 'viem/utils'\n"),
    plant('a scope', 'src/services/price/x.ts', "import '@ethereumjs/vm'\n"),
    plant('Node in a room for browsers', 'src/api/x.ts', "import 'node:fs'\n"),
    plant('Node by its old name', 'src/protocol/x.ts', "import 'fs'\n"),
    plant('Node in the core', 'src/consensus/core/x.ts', "import 'node:crypto'\n"),
    plant('Node in state', 'src/services/price/state/x.ts', "import 'node:crypto'\n"),
  ],
  cycles: [
    plant(
      'two files',
      'src/primitives/wei.ts',
      "/** A. */\nexport const a = 1\nimport './index.ts'\n",
    ),
    plant('itself', 'src/records/x.ts', "import './x.ts'\n"),
  ],
  determinism: [
    inside('a clock', 'export const x = Date.now()'),
    inside('a clock through globalThis', "export const x = globalThis['Date'].now()"),
    inside('a clock as a constructor', 'export const x = new Date()'),
    inside('a clock under another name', 'const { now: x } = Date; x()'),
    inside('chance', 'export const x = Math.random()'),
    inside('chance by element', "export const x = Math['random']()"),
    inside('chance by destructuring', 'const { random } = Math; random()'),
    inside('Math under another name', 'const m = Math; m.abs(1)'),
    inside('an inexact function', 'export const x = Math.exp(1)'),
    inside('a power of numbers', 'export const x = (a: number) => a ** 3'),
    inside('a float', 'export const x = 0.1'),
    inside('an exponent', 'export const x = 1e21'),
    inside('a float array', 'export const x = new Float64Array(1)'),
    inside('a timer', 'setTimeout(() => {}, 1)'),
    inside('the network', "export const x = fetch('a')"),
    inside('the environment', "export const x = process['env']"),
    inside('a locale', "export const x = 'a'.localeCompare('b')"),
    inside('an order of keys', 'export const x = (o: object) => Object.entries(o)'),
    inside('for…in', 'for (const k in {}) k.length'),
    inside('the host', 'export const x = import.meta.url'),
    inside('code from text', "export const x = eval('1')"),
    plant('in the core', 'src/consensus/core/x.ts', 'Date.now()\n'),
    plant('in a service', 'src/services/price/state/x.ts', 'Date.now()\n'),
    plant('in primitives', 'src/primitives/x.ts', 'Date.now()\n'),
    plant('in records', 'src/records/x.ts', 'Date.now()\n'),
    plant('in a judge', 'src/threshold/x.ts', 'Date.now()\n'),
  ],
  sizes: [
    plant('a long file', 'test/x.ts', 'f()\n'.repeat(401)),
    plant('a long contract', 'contracts/src/X.sol', '// x\n'.repeat(401)),
    plant('a long function', 'src/node/x.ts', `const f = () => {\n${'f()\n'.repeat(70)}}\n`),
    plant('a long method', 'src/node/x.ts', `class A {\n  #a() {\n${'f()\n'.repeat(69)}}\n}\n`),
    plant('a long line', 'src/node/x.ts', `// ${'word '.repeat(20)}\n`),
  ],
  shapes: [
    plant('a default export', 'src/node/x.ts', 'export default 1\n'),
    plant('a default function', 'src/node/x.ts', '/** X. */\nexport default function f() {}\n'),
    plant('a default by name', 'src/node/x.ts', 'const a = 1\nexport { a as default }\n'),
    plant('an enum', 'src/node/x.ts', 'enum A { B }\n'),
    plant('a namespace', 'src/node/x.ts', 'namespace A { export const b = 1 }\n'),
    plant('any', 'src/node/x.ts', 'const f = (a: readonly any[]) => a\n'),
    plant('!', 'src/node/x.ts', 'const f = (a?: string) => a!.length\n'),
    plant('a parameter property', 'test/x.ts', 'class A { constructor(private a: number) {} }\n'),
    plant('a decorator', 'src/node/x.ts', '@f class A {}\n'),
  ],
  names: [
    plant('a file of everything', 'src/node/utils.ts', ''),
    plant('a folder of everything', 'test/helpers/x.ts', ''),
    plant('capitals', 'src/node/someThing.ts', ''),
  ],
  environment: [plant('below node', 'src/ethereum/x.ts', 'const a = process.env.A\n')],
  docstrings: [
    plant('a function', 'src/node/x.ts', 'export function f() {}\n'),
    plant('a constant', 'src/node/x.ts', '// no\nexport const a = 1\n'),
    plant('a type', 'src/node/x.ts', 'export type A = string\n'),
  ],
  words: [
    plant('a home folder', 'docs/x.md', stray('cd /ho', 'me/me/code\n')),
    plant('a work folder', 'run.mjs', stray("const a = '/wo", "rk/main'\n")),
    plant('a registry', '.npmrc', stray('registry=https://regis', 'try.example.com\n')),
    plant('a fetched address', 'package-lock.json', stray('"resolved": "ht', 'tps://a/b.tgz"\n')),
    plant('a promise', 'src/node/x.ts', stray('// TO', 'DO later\n')),
  ],
  references: [
    plant('a page that is gone', 'docs/x.md', stray('see [it](gone.', 'md)\n')),
    plant('in a comment', 'src/node/x.ts', stray('// see `docs/gone.', 'md`\n')),
  ],
}

function write(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

const base = write(join(planted, 'clean'), clean)

test('tidy: the project keeps every rule', () => {
  assert.deepEqual(checkTidy(root).map(describe), [])
})

test('tidy: a clean project has no problem', () => {
  assert.deepEqual(checkTidy(base).map(describe), [])
})

for (const rule of rules)
  test(`tidy: ${rule}: each planted fault is found, at its place`, () => {
    for (const [index, { what, file, text }] of plants[rule].entries()) {
      const folder = join(planted, `${rule}-${index}`)
      cpSync(base, folder, { recursive: true })
      write(folder, { [file]: text })
      const found = checkTidy(folder).filter((problem) => problem.rule === rule)
      const [first] = found.map(({ at }) => at.replace(/:\d+$/, ''))
      const isThere = rule === 'cycles' ? first?.startsWith('src/') : first === file
      assert.ok(isThere, `${what} in ${file}: ${JSON.stringify(found)}`)
    }
  })
