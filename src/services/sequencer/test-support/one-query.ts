// One call on the store that is named, of the genesis on standard input, in a thread that starts
// with less priority than it would keep: prints what the call returned.
import { readFileSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'
import { fromHex, toHex } from '#primitives'
import { createQueryClient, queryBounds } from '../engine/query-client.ts'

const [, , file = ''] = process.argv
const recoverModule = new URL('./recover-module.ts', import.meta.url).href
const setup = { genesis: readFileSync(0), store: { file, durable: false }, recoverModule }
const queries = createQueryClient(setup, { ...queryBounds, timeoutMs: 600_000 })
// The thread starts with the priority of this one.
setPriority(Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL + 1))
try {
  // Returns the number 7.
  const result = await queries.call({ data: fromHex('0x60075f5260205ff3') }, { by: 'latest' })
  if (result?.status === 'returned') process.stdout.write(toHex(result.data))
} finally {
  await queries.close()
}
