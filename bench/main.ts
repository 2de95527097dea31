// npm run bench -- NAME [--json]: every figure that the project claims, beside its peer's.
import { endWithParent } from '../test/processes.ts'
import { allocation } from './allocation.ts'
import { certificate } from './certificate.ts'
import { consensus } from './consensus.ts'
import { formatTable, type Report } from './figure.ts'
import { store } from './store.ts'

const benches: Readonly<Record<string, () => Promise<Report>>> = {
  ...{ allocation, certificate, consensus, store },
}

const args = process.argv.slice(2)
const flags = args.filter((arg) => arg.startsWith('-'))
const names = args.filter((arg) => !arg.startsWith('-'))
const bench = names.length === 1 && names[0] !== undefined && benchOf(names[0])
if (!bench || flags.some((flag) => flag !== '--json')) {
  const list = Object.keys(benches).join(', ')
  process.stderr.write(`usage: npm run bench -- NAME [--json]\nNAME is one of: ${list}\n`)
  process.exit(2)
}
endWithParent() // a bench that is stopped leaves nothing running
const report = await bench()
if (flags.includes('--json')) {
  process.stdout.write(report.figures.map((figure) => `${JSON.stringify(figure)}\n`).join(''))
  process.stderr.write(report.notes.map((note) => `${note}\n`).join(''))
} else process.stdout.write(formatTable(report))

function benchOf(name: string): (() => Promise<Report>) | undefined {
  return Object.hasOwn(benches, name) ? benches[name] : undefined
}
