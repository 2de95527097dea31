import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDisk, genesisFile, systemRng } from '#node'
import { toHex, utf8 } from '#primitives'
import { type Genesis, networkId } from '#records'
import { createGenesis, createOperators } from './network.ts'
import { keysFile, loadNetwork, saveNetwork } from './network-file.ts'

const address = `0x${'01'.repeat(20)}` as const
const anchor = { block: 3, hash: toHex(systemRng(32)) }

function networkOf(operators: number) {
  const members = createOperators(operators, systemRng)
  const genesis: Genesis = createGenesis({
    operators: members,
    deployment: {
      ...{ chainId: 31_337, outbox: address, serviceManager: address, priceConsumer: address },
      startBlock: 3,
    },
    l1ChainId: 31_337,
    timeMs: 1_000_000,
    funded: [],
    parameters: [],
  })
  return { genesis, members, anchor }
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-network-'))
  try {
    await run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('network file: a network reads back as it was saved, by its owner alone', () =>
  inFolder(async (folder) => {
    const network = networkOf(3)
    await saveNetwork(createDisk(folder), network)
    assert.deepEqual(await loadNetwork(createDisk(folder)), network)
    assert.equal(statSync(join(folder, keysFile)).mode & 0o777, 0o600)
  }))

test('network file: a folder without keys holds no network, unless an operator was in it', () =>
  inFolder(async (folder) => {
    assert.equal(await loadNetwork(createDisk(folder)), undefined)
    writeFileSync(join(folder, genesisFile), 'left by a start that was killed')
    assert.equal(await loadNetwork(createDisk(folder)), undefined)
    mkdirSync(join(folder, 'operator-1'))
    const message = /devnet\.keys is missing, and operator-1 was in use: restore/
    await assert.rejects(loadNetwork(createDisk(folder)), { code: 'DataDamaged', message })
  }))

test('network file: every flipped or missing byte of either file is refused by its name', () =>
  inFolder(async (folder) => {
    await saveNetwork(createDisk(folder), networkOf(2))
    for (const file of [keysFile, genesisFile]) {
      const path = join(folder, file)
      const whole = readFileSync(path)
      for (let place = 0; place < whole.length; place += 37) {
        const flipped = Uint8Array.from(whole)
        flipped[place] = (flipped[place] ?? 0) ^ 1
        for (const bytes of [flipped, whole.subarray(0, place)]) {
          writeFileSync(path, bytes)
          const code = /^Data(Damaged|Version)$/
          await assert.rejects(loadNetwork(createDisk(folder)), { code, message: new RegExp(file) })
        }
      }
      writeFileSync(path, whole)
    }
  }))

test('network file: another version and another network are told apart', () =>
  inFolder(async (folder) => {
    const [network, other] = [networkOf(2), networkOf(2)]
    await saveNetwork(createDisk(folder), other)
    const foreign = readFileSync(join(folder, genesisFile))
    await saveNetwork(createDisk(folder), network)
    const keys = readFileSync(join(folder, keysFile))
    writeFileSync(join(folder, genesisFile), foreign)
    const notIts = new RegExp(`is not the genesis of network ${networkId(network.genesis)}`)
    await assert.rejects(loadNetwork(createDisk(folder)), { code: 'DataDamaged', message: notIts })
    const newer = Buffer.concat([utf8('NodeOP devnet 2\n'), keys.subarray(16)])
    writeFileSync(join(folder, keysFile), newer)
    const message = /is of "NodeOP devnet 2", this software reads "NodeOP devnet 1"/
    await assert.rejects(loadNetwork(createDisk(folder)), { code: 'DataVersion', message })
  }))
