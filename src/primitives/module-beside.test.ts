import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moduleBeside } from './module-beside.ts'

test('module beside: it has the extension of the one that asks', () => {
  const beside = (path: string, asker: string) => moduleBeside(path, asker).href
  assert.equal(beside('worker', 'file:///a.b/src/node/wire.ts'), 'file:///a.b/src/node/worker.ts')
  assert.equal(beside('worker', 'file:///a.b/lib/node/wire.js'), 'file:///a.b/lib/node/worker.js')
  assert.equal(beside('../cli/main', 'file:///lib/devnet/l1.js'), 'file:///lib/cli/main.js')
})
