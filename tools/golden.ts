// Records a short devnet run as a golden block log: the genesis, every decided block, every app
// hash. Run it only for a state-breaking change, and say so in the changelog: `npm run golden`.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { openBlock, openFileBlockStore, toProposed } from '#consensus'
import { parseDevnetOptions, runDevnet } from '#devnet'
import { createDisk, createLogger, genesisFile } from '#node'
import { toHex } from '#primitives'
import { decode, genesisCodec, networkId } from '#records'
import type { GoldenBlock, GoldenLog } from '../test/golden/log.ts'

const target = join(import.meta.dirname, '..', 'test', 'golden', 'devnet.json.gz')
const folder = mkdtempSync(join(tmpdir(), 'nodeop-golden-'))

await runDevnet(
  parseDevnetOptions({ port: '0', load: '10', for: '8s', data: folder, json: true }, folder),
  { write: () => {}, error: (line) => process.stderr.write(`${line}\n`) },
)
const genesis = readFileSync(join(folder, genesisFile))
const network = networkId(decode(genesisCodec, genesis))
const disk = createDisk(join(folder, 'operator-1'))
const store = await openFileBlockStore('blocks.log', network, createLogger('warn', {}), disk)
const blocks: GoldenBlock[] = []
for (let height = 1; height <= store.height(); height++) {
  const stored = await store.load(height)
  if (!stored) throw new Error(`block ${height} is missing`)
  const { block, hash } = openBlock(stored.block)
  const { timeMs, proposer, transactions } = toProposed(block)
  const hexes = transactions.map(toHex)
  blocks.push({ height, timeMs, proposer, hash, transactions: hexes, appHash: stored.appHash })
}
await store.close()
rmSync(folder, { recursive: true, force: true })
const log: GoldenLog = { genesis: toHex(genesis), blocks }
writeFileSync(target, gzipSync(JSON.stringify(log), { level: 9 }))
process.stderr.write(`${blocks.length} blocks recorded in ${target}\n`)
process.exit(0)
