import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { type L1Process, startL1 } from './l1.ts'
import { anchorOf, requireAnchor } from './l1-anchor.ts'

let l1: L1Process
before(async () => {
  l1 = await startL1({ logger: silentLogger })
})
after(() => l1?.stop())

test('anchor: the L1 that a network began on is known again, and any other is refused', async () => {
  const anchor = await anchorOf(l1.url, 0)
  await requireAnchor(l1.url, anchor, 'folder')
  const other = { ...anchor, hash: `0x${'11'.repeat(32)}` } as const
  const refused = (of: typeof other, message: RegExp) =>
    assert.rejects(requireAnchor(l1.url, of, 'folder'), { code: 'WrongL1', message })
  await refused(other, /^folder: its L1 is another chain \(block 0: 0x[0-9a-f]{64}\): restore/)
  await refused({ ...other, block: 1_000_000 }, /another chain \(block 1000000: .*not.*found/)
})
