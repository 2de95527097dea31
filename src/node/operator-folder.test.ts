import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createGenesis, createOperators, type DevnetOperator } from '#devnet'
import { fromHex, toHex } from '#primitives'
import { createDisk } from './disk.ts'
import { genesisFile, loadOperatorFolder, saveOperatorFolder } from './operator-folder.ts'
import { operatorKeysFile } from './operator-keys.ts'
import { systemRng } from './system.ts'

const base = mkdtempSync(join(tmpdir(), 'nodeop-folder-'))
after(() => rmSync(base, { recursive: true, force: true }))

const members = createOperators(2, systemRng)
const address = `0x${'01'.repeat(20)}` as const
const genesis = createGenesis({
  operators: members,
  deployment: {
    ...{ chainId: 31_337, outbox: address, serviceManager: address, priceConsumer: address },
    startBlock: 3,
  },
  ...{ l1ChainId: 31_337, timeMs: 1_000_000, funded: [], parameters: [] },
})

function member(id: number): DevnetOperator {
  const found = members[id - 1]
  assert(found)
  return found
}

/** A folder of the first operator. */
async function folderOf(name: string): Promise<string> {
  const folder = join(base, name)
  const { name: own, secrets, key } = member(1)
  await saveOperatorFolder(createDisk(folder), { genesis, keys: { name: own, secrets, key } })
  return folder
}

test('operator folder: keys and genesis read back, the keys by their owner alone', async () => {
  const folder = await folderOf('whole')
  const read = await loadOperatorFolder(createDisk(folder), 1)
  const { name, secrets, key } = member(1)
  assert.deepEqual(read.keys, {
    name,
    key,
    secrets: { ...secrets, consensusSeed: fromHex(toHex(secrets.consensusSeed)) },
  })
  assert.deepEqual(read.genesis, genesis)
  assert.equal(statSync(join(folder, operatorKeysFile)).mode & 0o777, 0o600)
})

test('operator folder: another operator’s number is refused with both keys', async () => {
  const disk = createDisk(await folderOf('another'))
  const [own, other] = [member(1).identity.consensusKey, member(2).identity.consensusKey]
  const message = new RegExp(`operator 2 the consensus key ${other}, the keys .* of ${own}`)
  await assert.rejects(loadOperatorFolder(disk, 2), { code: 'GenesisFile', message })
  await assert.rejects(loadOperatorFolder(disk, 3), {
    code: 'GenesisFile',
    message: /no operator 3/,
  })
})

test('operator folder: every flipped or missing byte of the keys is refused by the file’s name', async () => {
  const folder = await folderOf('damaged')
  const path = join(folder, operatorKeysFile)
  const whole = readFileSync(path)
  for (let place = 0; place < whole.length; place += 29) {
    const flipped = Uint8Array.from(whole)
    flipped[place] = (flipped[place] ?? 0) ^ 1
    for (const bytes of [flipped, whole.subarray(0, place)]) {
      writeFileSync(path, bytes)
      const wanted = { code: 'OperatorKeys', message: /operator\.keys/ }
      await assert.rejects(loadOperatorFolder(createDisk(folder), 1), wanted)
    }
  }
  writeFileSync(path, whole)
  writeFileSync(join(folder, genesisFile), 'no genesis')
  const wanted = { code: 'GenesisFile', message: /genesis\.ssz cannot be read/ }
  await assert.rejects(loadOperatorFolder(createDisk(folder), 1), wanted)
})
