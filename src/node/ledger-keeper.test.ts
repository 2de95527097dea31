import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { appHash } from '#protocol'
import { committedBlocks } from '../../test/support/committed-blocks.ts'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  certify,
  executed,
  publishNonces,
  recorded,
  slowCuts,
  vouch,
} from '../../test/support/ledger-script.ts'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { createDisk } from './disk.ts'
import { ledgerFile, openLedgerKeeper } from './ledger-keeper.ts'

/** A network with a leaf that was proved, recorded and executed, then a second one. */
function lived() {
  const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 16))
  const first = agreeOnTask(network)
  vouch(network, [recorded(certify(network))])
  vouch(network, [executed(network, first)])
  const second = agreeOnTask(network)
  return { network, first, second }
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-keeper-'))
  try {
    await run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const open = (network: LedgerNetwork, folder: string, hasServices = true) =>
  openLedgerKeeper({
    ...{
      folder,
      disk: createDisk(folder),
      genesis: network.genesis,
      environment: network.environment,
      operator: 1,
    },
    hasServices: async () => hasServices,
    logger: silentLogger,
  })

test('ledger keeper: goes on from any block as if it had never ended', () =>
  inFolder(async (folder) => {
    const { network, first, second } = lived()
    for (const [at, committed] of committedBlocks(network).entries()) {
      const keeper = await open(network, folder)
      assert.equal(keeper.stored?.height, at === 0 ? undefined : at)
      keeper.keep(committed, undefined)
      keeper.history.decided(committed.block.height, 1)
      keeper.close()
    }
    const keeper = await open(network, folder)
    assert.equal(keeper.stored?.appHash, appHash(network.ledger))
    assert.equal(appHash(keeper.stored.ledger), appHash(network.ledger))
    const [one, two] = [first, second].map((task) => keeper.outbox.leafOf(task)?.index ?? -1)
    assert.deepEqual([one, two], [0, 1])
    assert.equal(keeper.outbox.prove(0, 2).length, 1)
    assert.equal(keeper.outbox.executionOf(0)?.success, true)
    const { length } = [...committedBlocks(network)]
    assert.deepEqual(
      keeper.history.blocks(3).map(({ height }) => height),
      [length, length - 1, length - 2],
    )
    assert(keeper.history.ended.settled > 0)
    keeper.close()
  }))

test('ledger keeper: without what a service must hold it begins anew', () =>
  inFolder(async (folder) => {
    const { network } = lived()
    const keeper = await open(network, folder)
    for (const committed of committedBlocks(network)) keeper.keep(committed, undefined)
    keeper.close()
    const anew = await open(network, folder, false)
    assert.equal(anew.stored, undefined)
    assert.equal(anew.history.blocks(1).length, 0)
    anew.close()
  }))

test('ledger keeper: a damaged file is refused by its name, or read as it was', () =>
  inFolder(async (folder) => {
    const { network } = lived()
    const keeper = await open(network, folder)
    for (const committed of committedBlocks(network)) keeper.keep(committed, undefined)
    keeper.close()
    const file = join(folder, ledgerFile)
    assert(existsSync(file))
    const whole = readFileSync(file)
    let refused = 0
    for (let place = 50; place < whole.length; place += Math.ceil(whole.length / 40)) {
      const flipped = Uint8Array.from(whole)
      flipped[place] = (flipped[place] ?? 0) ^ 0x40
      writeFileSync(file, flipped)
      try {
        const again = await open(network, folder)
        if (again.stored) {
          const { ledger } = again.stored
          for (const task of ledger.endedTasks.values()) assert(task.id)
          assert.equal(appHash(ledger), appHash(network.ledger))
        }
        again.close()
      } catch (error) {
        refused++
        assert.match(String(error), new RegExp(ledgerFile))
      }
    }
    assert(refused > 0)
  }))
