// `npm run format`: what the linter can mend, and comments that are too wide. `npm run format --
// PATH…` for some paths only.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generated } from '../test/tidy/tree.ts'
import { wrapComments } from './wrap-comments.ts'

const root = join(import.meta.dirname, '..')
const asked = process.argv.slice(2)
const paths = asked.length > 0 ? asked : ['.']

const isOurs = (path: string): boolean =>
  !/(^|\/)(node_modules|dist|out|cache)(\/|$)/.test(path) &&
  ![...generated].some((folder) => path.replace(/^\.\//, '').startsWith(folder))

for (const path of paths.flatMap((one) =>
  statSync(join(root, one)).isFile() ? one : below(one),
)) {
  const text = readFileSync(join(root, path), 'utf8')
  const wrapped = wrapComments(text)
  if (wrapped !== text) writeFileSync(join(root, path), wrapped)
}

function below(folder: string): string[] {
  return globSync(`${folder}/**/*.{ts,mjs,cjs}`, {
    cwd: root,
    exclude: (path) => !isOurs(path),
  })
}

const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
const { status } = spawnSync(process.execPath, [biome, 'check', '--write', ...paths], {
  cwd: root,
  stdio: 'inherit',
})
process.exitCode = status ?? 1
