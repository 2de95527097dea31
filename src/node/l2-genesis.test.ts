import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeL2Genesis } from '#services/sequencer'
import { l2GenesisOf } from './l2-genesis.ts'

const bytesOf = (chainId: number): Uint8Array =>
  writeL2Genesis({ chainId, timestamp: 1, feeRecipient: `0x${'11'.repeat(20)}`, balances: [] })

test('L2 genesis: the same bytes are read once, others for themselves', () => {
  const bytes = bytesOf(5)
  assert.equal(l2GenesisOf(bytes), l2GenesisOf(bytes))
  assert.equal(l2GenesisOf(bytesOf(6)).parameters.chainId, 6)
})
