import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readL2Genesis } from '../state/genesis.ts'
import {
  addressOf,
  bytesOf,
  contextAt,
  createTestChain,
  testGenesis,
  transfer,
} from '../test-support/chain.ts'
import { createWorkerEngine } from './worker-client.ts'
import { EngineWorkerError } from './worker-protocol.ts'

const recoverModule = new URL('../test-support/recover-module.ts', import.meta.url).href

test('worker: gives what the engine in this thread gives, and resumes from its file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-l2-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const genesis = testGenesis()
  const file = join(folder, 'l2.sqlite')
  const setup = { genesis, store: { file, durable: true }, recoverModule } as const
  const list = [await transfer(0, 0, 1), await transfer(0, 9, 1)]
  const inline = await (await createTestChain(genesis)).run(...list)
  const context = contextAt(1, readL2Genesis(genesis).hash)

  const worker = await createWorkerEngine(setup)
  const threaded = await worker.execute(1, context, list.map(bytesOf))
  assert.deepEqual(threaded, inline)
  await assert.rejects(worker.execute(2, contextAt(2, addressOf(1)), []), { code: 'EngineFailed' })
  await worker.close()
  await assert.rejects(worker.head(), { code: 'EngineFailed' })

  const reopened = await createWorkerEngine(setup)
  assert.equal((await reopened.head()).hash, inline.block?.hash)
  await reopened.close()
  const foreign = createWorkerEngine({ ...setup, genesis: testGenesis({ chainId: 9 }) })
  await assert.rejects(foreign, (error) => {
    assert.ok(error instanceof EngineWorkerError)
    assert.equal(error.details.cause, 'ForeignL2Store')
    return true
  })
})
