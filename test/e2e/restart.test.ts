// A devnet in a process of its own that is killed under load and started again on its folder.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { setTimeout as pass } from 'node:timers/promises'
import {
  createPublicClient,
  createWalletClient,
  type Hex,
  http,
  type PublicClient,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { devnetAccount } from '#devnet'
import { patienceMs } from '../support/waiting.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
const data = mkdtempSync(join(tmpdir(), 'nodeop-restart-'))
const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
  endL1()
  rmSync(data, { recursive: true, force: true })
})

/** L1 outlives a devnet that was killed: a failed test must not leave it. */
function endL1(): void {
  try {
    const { pid } = JSON.parse(readFileSync(join(data, 'l1/process.json'), 'utf8'))
    process.kill(pid, 'SIGKILL')
  } catch {
    return // it has ended, as it should
  }
}

/** A devnet's process on the folder, from the moment at which it serves. */
async function launch(): Promise<{ child: ChildProcess; gateway: string; lines: string[] }> {
  const args = [main, 'devnet', '--port', '0', '--data', data, '--for', '24h']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (line.startsWith('transfer ')) break
  }
  child.stdout.on('data', (text: Buffer) => lines.push(...text.toString().split('\n'))).resume()
  const gateway = lines.join('\n').match(/JSON-RPC \(L2\) {2}(\S+)/)?.[1]
  assert(gateway, `it serves: ${lines.join('\n')}`)
  return { child, gateway, lines }
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('close', resolve))

/** Offers transfers from several accounts until the process is gone; those that were accepted. */
async function sendUntilKilled(gateway: string, child: ChildProcess): Promise<readonly Hex[]> {
  const accepted: Hex[] = []
  const gone = ended(child)
  const senders = [2, 3, 4].map(async (index) => {
    const account = privateKeyToAccount(devnetAccount(index).privateKey)
    const transport = http(gateway, { retryCount: 0, timeout: patienceMs })
    const client = createPublicClient({ transport })
    const wallet = createWalletClient({ account, transport })
    const chain = { chain: null, chainId: await client.getChainId() }
    let nonce = await client.getTransactionCount({ address: account.address })
    const common = { ...chain, to: account.address, gas: 21_000n, maxFeePerGas: 10n ** 11n }
    for (; accepted.length < sentBeforeKill; nonce++)
      accepted.push(await wallet.sendTransaction({ ...common, nonce, maxPriorityFeePerGas: 1n }))
  })
  await Promise.all(senders)
  child.kill('SIGKILL')
  await gone
  return accepted
}

const sentBeforeKill = 60

/**
 * Asks until it is there: viem's own wait looks at new blocks alone, and may be too late for one.
 */
async function receiptOf(client: PublicClient, hash: Hex): Promise<TransactionReceipt> {
  for (;;)
    try {
      return await client.getTransactionReceipt({ hash })
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) throw error
      await pass(100)
    }
}

test('restart: killed after accepting, a devnet goes on as the same network, until Ctrl-C', async () => {
  const first = await launch()
  const before = createPublicClient({ transport: http(first.gateway, { timeout: patienceMs }) })
  const early = await before.getBlock({ blockNumber: 1n })
  const accepted = await sendUntilKilled(first.gateway, first.child)
  const genesis = readFileSync(join(data, 'genesis.ssz'))

  const second = await launch()
  const client = createPublicClient({ transport: http(second.gateway, { timeout: patienceMs }) })
  assert.equal((await client.getBlock({ blockNumber: 1n })).hash, early.hash)
  for (const hash of accepted) assert.equal((await receiptOf(client, hash)).status, 'success')
  assert.deepEqual(readFileSync(join(data, 'genesis.ssz')), genesis)

  await refusesASecondProcess()
  const code = ended(second.child)
  second.child.kill('SIGINT')
  assert.equal(await code, 0) // long before its time, with its summary
  assert(second.lines.some((line) => /checkpoint \d+ on L1/.test(line)))
  assert.match(second.lines.join('\n'), /sending stopped.*lost/s)

  await refusesADamagedFolder()
})

async function refusal(...more: readonly string[]): Promise<readonly [number | null, string]> {
  const args = [main, 'devnet', '--port', '0', '--data', data, '--for', '1s', ...more]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  return [await ended(child), said]
}

async function refusesASecondProcess(): Promise<void> {
  const [code, said] = await refusal()
  assert.equal(code, 1)
  assert.match(said, /^FolderInUse: [^\n]+\n$/)
}

async function refusesADamagedFolder(): Promise<void> {
  assert.match((await refusal('--operators', '5'))[1], /^DataMismatch: [^\n]+\n$/)
  const path = join(data, 'devnet.keys')
  const keys = readFileSync(path)
  writeFileSync(path, keys.subarray(1))
  const [code, said] = await refusal()
  assert.equal(code, 1)
  assert.match(said, /^DataDamaged: [^\n]+\n$/)
  writeFileSync(path, keys)
}
