// A devnet to be killed: on a folder, its operators reach L1 by a witness, and every signature that
// leaves one is in a file before its peers hear of it. A kill loses no write, so the file has all.
import { openSync, writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Adapt, parseDevnetOptions, startDevnet } from '#devnet'
import { assert, type Hex, setBounded } from '#primitives'
import { transportOf } from '../support/embedded.ts'
import { createTap } from './tap.ts'

/** Lines that are not written again: a vote is sent to each peer, and again when it may be lost. */
const maxRecent = 4096

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { data: text, port: text, l1: text, signatures: text } })
const { data, port, l1, signatures } = values
assert(data && port && l1 && signatures, 'a folder, a port, an L1 and a file')

const file = openSync(signatures, 'a')
const recent = new Map<string, true>()
const tap = createTap((purpose: string, position: string, digest: Hex) => {
  const line = `${purpose}\t${position}\t${digest}\n`
  if (recent.has(line)) return
  setBounded(recent, line, true, maxRecent)
  writeSync(file, line)
})

const adapt: Adapt = (operator) => ({
  ...operator,
  consensus: { engine: 'embedded', transport: tap.through(transportOf(operator)) },
  l1Url: l1,
})
const options = parseDevnetOptions({ data, port, logLevel: 'error' }, '.')
const devnet = await startDevnet(options, () => {}, undefined, adapt)
for (const { application } of devnet.operators.values()) {
  tap.learn(application.ledger)
  application.onCommitted(({ after }) => tap.learn(after))
}
process.once('SIGINT', () => void devnet.stop().then(() => process.exit(0)))
process.stdout.write('serves\n')
