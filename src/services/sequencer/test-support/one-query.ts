// One call on a new chain, whose thread starts with less priority than it would give up: prints
// what the call returned.
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, getPriority, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex, toHex } from '#primitives'
import { queryBounds } from '../engine/query-client.ts'
import { createWorkerEngine } from '../engine/worker-client.ts'
import { testGenesis } from './chain.ts'

const folder = mkdtempSync(join(tmpdir(), 'nodeop-query-'))
const engine = await createWorkerEngine(
  {
    genesis: testGenesis(),
    store: { file: join(folder, 'l2.sqlite'), durable: false },
    recoverModule: new URL('./recover-module.ts', import.meta.url).href,
  },
  { ...queryBounds, timeoutMs: 600_000 },
)
try {
  // The thread starts with the priority of this one.
  setPriority(Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL + 1))
  // Returns the number 7.
  const result = await engine.call({ data: fromHex('0x60075f5260205ff3') }, { by: 'latest' })
  if (result?.status === 'returned') process.stdout.write(toHex(result.data))
} finally {
  await engine.close()
  rmSync(folder, { recursive: true })
}
