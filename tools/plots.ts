// Draws the figures of docs/guides/allocation.md. With --check it writes nothing and exits 1,
// naming the files that differ.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allocationPlots } from './plots/allocation.ts'

const folder = join(import.meta.dirname, '../docs/guides/allocation')
const usage = 'usage: npm run plots [-- --check]\n'

const args = process.argv.slice(2)
if (args.some((arg) => arg !== '--check')) {
  process.stderr.write(usage)
  process.exit(2)
}
const files = allocationPlots()
if (args.length === 0) {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of files) writeFileSync(join(folder, name), text)
} else {
  const stale = [...files].filter(([name, text]) => readOr(join(folder, name)) !== text)
  for (const [name] of stale) process.stdout.write(`docs/guides/allocation/${name} differs\n`)
  if (stale.length > 0) {
    process.stdout.write('run: npm run plots\n')
    process.exit(1)
  }
}

/** The file's text, or undefined where there is none. */
function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
