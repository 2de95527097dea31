import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDisk, guardFile, openGuard, restoredFile, systemRng } from '#node'
import { sha256Hex, utf8 } from '#primitives'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { holdLost } from './lost-folders.ts'

test('lost folders: who has none any more signs nothing yet; who has one is left alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-lost-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, file] of [
    ['used', guardFile],
    ['unguarded', 'blocks.log'],
    ['begun', 'operator.lock'],
  ] as const) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, file), '')
  }
  const names = ['used', 'unguarded', 'begun', 'gone']
  const members = names.map((name) => ({ name }))
  await holdLost(createDisk(folder), members, silentLogger)
  assert.deepEqual(
    names.map((name) => readdirSync(join(folder, name)).includes(restoredFile)),
    [false, false, true, true],
  )
  const id = sha256Hex(utf8('anybody'))
  const guard = await openGuard({
    ...{ disk: createDisk(join(folder, 'gone')), networkId: id, operator: id },
    ...{ rng: systemRng, logger: silentLogger },
  })
  const slot = { height: 1, round: 0, step: 'prevote' } as const
  assert.deepEqual(await guard.votes.admit(slot, id), { ok: false, reason: 'Restored' })
  await guard.close()
})
