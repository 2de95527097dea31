import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createL1Client } from '#ethereum'
import type { Logger } from '#primitives'
import { devnetAccount, startL1 } from './l1.ts'
import { adoptL1 } from './l1-adopt.ts'

const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

test('devnetAccount: the first is the one everybody knows', () => {
  const { address, privateKey } = devnetAccount(0)
  assert.equal(address, '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266')
  assert.equal(privateKey, '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
})

test('startL1: it answers by its chain id, holds the funded accounts, ends when told', async () => {
  let exits = 0
  const l1 = await startL1({ logger, chainId: 4242, accounts: 2, onExit: () => exits++ })
  const client = createL1Client(l1.url)
  try {
    assert.equal(await client.getChainId(), 4242)
    const funded = [1, 2].map((i) => client.getBalance({ address: devnetAccount(i).address }))
    assert.deepEqual(await Promise.all(funded), [10n ** 22n, 0n])
    const leadsItsGroup = process.kill(-l1.pid, 0)
    assert(leadsItsGroup, 'Ctrl-C reaches the group of the terminal alone')
  } finally {
    await l1.stop()
  }
  await assert.rejects(client.getChainId())
  assert.throws(() => process.kill(l1.pid, 0), 'the process is gone')
  assert.equal(exits, 0, 'a wanted end is no accident')
})

test('startL1: a chain with a folder goes on where it was', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'nodeop-l1-test-'))
  try {
    const first = await startL1({ logger, stateDir })
    const before = createL1Client(first.url)
    await before.request({ method: 'anvil_mine', params: ['0x5', '0x1'] } as never)
    const { hash } = await before.getBlock({ blockNumber: 5n })
    await first.stop()
    const second = await startL1({ logger, stateDir })
    const block = await createL1Client(second.url).getBlock({ blockNumber: 5n })
    await second.stop()
    assert.equal(block.hash, hash)
  } finally {
    rmSync(stateDir, { recursive: true })
  }
})

test('startL1: a port in use is one clear line', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const message = `port ${port} is in use; name another, or 0 for a free one`
  await assert.rejects(startL1({ logger, port }), {
    code: 'PortInUse',
    message,
    details: { host: '127.0.0.1', port },
  })
  await new Promise((resolve) => server.close(resolve))
})

test('startL1: a missing anvil is one clear line', async () => {
  const binary = join(tmpdir(), 'no-such-anvil')
  await assert.rejects(startL1({ logger, binary }), { code: 'AnvilMissing', message: /^[^\n]+$/ })
})

test('startL1: an anvil that dies at start says why', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'nodeop-l1-test-'))
  writeFileSync(join(stateDir, 'anvil.json'), '{}')
  const message = /^anvil died at start: error: invalid value .*state[^\n]+$/
  await assert.rejects(startL1({ logger, stateDir }), { code: 'AnvilDied', message })
  rmSync(stateDir, { recursive: true })
})

test('startL1: an anvil that dies later is reported', async () => {
  const died = Promise.withResolvers<string>()
  const l1 = await startL1({ logger, onExit: died.resolve })
  process.kill(l1.pid, 'SIGKILL')
  assert.equal(await died.promise, '')
  await l1.stop()
})

test('startL1: one that outlived its starter is taken up, another on its port is not', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'nodeop-l1-test-'))
  const first = await startL1({ logger, stateDir })
  try {
    const note = join(stateDir, 'process.json')
    const again = await startL1({ logger, stateDir })
    assert.deepEqual([again.pid, again.url], [first.pid, first.url])
    const stranger = { ...JSON.parse(readFileSync(note, 'utf8')), origin: `0x${'00'.repeat(32)}` }
    writeFileSync(note, JSON.stringify(stranger))
    assert.equal(await adoptL1({ logger, stateDir }), undefined)
    await again.stop()
    await assert.rejects(createL1Client(first.url).getChainId())
  } finally {
    await first.stop()
    rmSync(stateDir, { recursive: true })
  }
})
