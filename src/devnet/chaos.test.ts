import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChaosKind, parametersOf } from './chaos.ts'

const depthOf = (data: string | undefined, ...chaos: ChaosKind[]) =>
  parametersOf({ data, chaos }).find(({ name }) => name === 'l1DepthBlocks')?.value

test('depth of L1 events: 4 blocks on a folder, whose anvil forgets up to 3 when it is killed', () => {
  assert.equal(depthOf('/folder'), 4n)
  assert.equal(depthOf('/folder', 'operator', 'l1-down'), 4n)
  assert.equal(depthOf(undefined), undefined)
})

test('depth of L1 events: 8 blocks where 6 go or 16, with and without a folder', () => {
  for (const data of [undefined, '/folder'])
    for (const kind of ['reorg', 'deep-reorg'] as const) assert.equal(depthOf(data, kind), 8n)
})
