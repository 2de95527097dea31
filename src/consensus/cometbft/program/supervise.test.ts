// With a real CometBFT that runs its own key-value store, so that nothing of ours answers it.
import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Logger } from '#primitives'
import { cometForTests } from '../../../../test/support/comet.ts'
import { silentLogger } from '../../../../test/support/manual-clock.ts'
import { wallClock } from '../../../../test/support/wall-clock.ts'
import { chainIdOf } from '../chain.ts'
import { cometTimings } from './config.ts'
import { writeHome } from './home.ts'
import { publicKeyOf } from './keys.ts'
import { launchComet } from './process.ts'
import { isRunning } from './processes.ts'
import { createCometRpc } from './rpc.ts'
import { CometSupervisor } from './supervise.ts'

const { path: binary, skip } = cometForTests()
const base = mkdtempSync(join(tmpdir(), 'nodeop-comet-'))
after(() => rmSync(base, { recursive: true, force: true }))

const networkId = `0x${'5a'.repeat(32)}` as const

/** A validator alone on a folder, with a supervisor that has not started. */
function alone(name: string) {
  const home = join(base, name)
  const rpcAddress = `unix://${join(home, 'rpc.sock')}`
  const consensusSeed = new Uint8Array(32).fill(name.length)
  const consensusKey = publicKeyOf(consensusSeed)
  const maxTransactionBytes = 1024 * 1024
  writeHome({
    folder: home,
    genesis: {
      ...{ networkId, appVersion: 1, timeMs: 1_700_000_000_000, maxTransactionBytes },
      validators: [{ consensusKey, power: 1n }],
    },
    config: {
      ...{ moniker: name, abciAddress: 'kvstore', rpcAddress, maxTransactionBytes },
      peers: { listen: '127.0.0.1:0', persistent: [] },
      ...{ timing: cometTimings.lan, mempool: 'flood' },
    },
    ...{ consensusSeed, hasSigned: false },
  })
  const rpc = createCometRpc(rpcAddress)
  const warnings: string[] = []
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) }
  const failure = Promise.withResolvers<unknown>()
  const supervisor = new CometSupervisor({
    ...{ program: { binary, home }, clock: wallClock, logger, onFailure: failure.resolve },
    isUp: () =>
      rpc.status().then(
        () => true,
        () => false,
      ),
  })
  return { home, rpc, supervisor, warnings, failure: failure.promise }
}

/** The process id of a run other than this one. */
async function nextPid(supervisor: CometSupervisor, pid: number | undefined): Promise<number> {
  for (;;) {
    const now = supervisor.pid
    if (now !== undefined && now !== pid) return now
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('supervisor: it runs, takes transactions, and is gone when it was stopped', {
  skip,
}, async () => {
  const { home, rpc, supervisor } = alone('one')
  await supervisor.start()
  const { pid } = supervisor
  assert(pid !== undefined && isRunning(pid))
  assert.equal(readFileSync(join(home, 'cometbft.pid'), 'utf8'), `${pid}\n`)
  assert.equal((await rpc.status()).chainId, chainIdOf(networkId))
  await rpc.broadcast([Buffer.from('a=1'), Buffer.from('b=2')])
  rpc.close()
  await supervisor.stop()
  assert(!isRunning(pid))
  assert(!existsSync(join(home, 'cometbft.pid')))
})

test('supervisor: killed, it is started again, even without its log; stopped meanwhile, it is not', {
  skip,
}, async () => {
  const { home, supervisor } = alone('again')
  await supervisor.start()
  const { pid } = supervisor
  rmSync(join(home, 'cometbft.log'))
  process.kill(pid ?? 0, 'SIGKILL')
  const next = await nextPid(supervisor, pid)
  assert(isRunning(next))
  await supervisor.stop()
  assert(!isRunning(next))
})

test('supervisor: a log that grows long is put aside while CometBFT runs', { skip }, async () => {
  const { home, supervisor } = alone('talk')
  await supervisor.start()
  const log = join(home, 'cometbft.log')
  const bytes = 20 * 1024 * 1024
  appendFileSync(log, Buffer.alloc(bytes, 'x'))
  while (statSync(log).size >= bytes) await new Promise((resolve) => setTimeout(resolve, 20))
  await supervisor.stop()
  assert(statSync(`${log}.old`).size >= bytes)
  assert(statSync(log).size < bytes)
})

test('supervisor: what a killed process has left is ended before the next start', {
  skip,
}, async () => {
  const { home, supervisor, warnings } = alone('left over')
  const left = await launchComet({ binary, home })
  await supervisor.start()
  assert(!isRunning(left.pid) && supervisor.pid !== left.pid)
  assert.deepEqual(warnings, ['ended the CometBFT that a killed process had left'])
  await supervisor.stop()
})

test('supervisor: another’s process under a noted number is left alone', { skip }, async () => {
  const { home, supervisor, warnings } = alone('another')
  writeFileSync(join(home, 'cometbft.pid'), `${process.pid}\n`)
  await supervisor.start()
  assert.deepEqual(warnings, [])
  await supervisor.stop()
})

test('supervisor: who ends before it served fails with its last words', { skip }, async () => {
  const { home, supervisor } = alone('broken')
  writeFileSync(join(home, 'config/genesis.json'), '{"chain_id": ""}')
  const message = /CometBFT ended with code 1; its last lines: .*chain_id/
  await assert.rejects(supervisor.start(), { code: 'CometDied', message })
  await supervisor.stop()
})

test('supervisor: stopped while it is asked why the program ended, it has nothing to say', async () => {
  const home = join(base, 'stopped')
  mkdirSync(home)
  const supervisor: CometSupervisor = new CometSupervisor({
    ...{ program: { binary: process.execPath, home }, clock: wallClock, logger: silentLogger },
    isUp: async () => false,
    onEnded: () => supervisor.stop(),
    onFailure: (error) => assert.fail(String(error)),
  })
  await supervisor.start()
})
