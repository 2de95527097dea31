import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { openL1Link } from './l1-link.ts'

test('L1 link: it passes requests on, breaks when cut, and passes them on again', async () => {
  const server = createServer((_, response) => response.end('answer'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const link = await openL1Link(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const ask = async () => (await fetch(link.url)).text()
  assert.equal(await ask(), 'answer')
  link.setCut(true)
  await assert.rejects(ask())
  link.setCut(false)
  assert.equal(await ask(), 'answer')
  await link.close()
  await assert.rejects(ask())
  server.closeAllConnections()
  server.close()
})
