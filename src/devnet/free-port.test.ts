import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { freePort, freePorts } from './free-port.ts'

test('free ports: no system gives one of them to a connection', async () => {
  const ports = await freePorts(20)
  for (const port of ports) assert(port >= 16_384 && port < 32_768, `${port}`)
})

test('free ports: none is given twice, although nobody listens on it yet', {
  skip: process.platform === 'linux' ? false : 'the system has one address of loopback',
}, async () => {
  const count = 300 // of 16,384: by chance alone some would be the same
  assert.equal(new Set(await freePorts(count)).size, count)
})

test('free ports: a named one that is taken is refused by its number', async () => {
  const [port = 0] = await freePorts(1)
  assert.equal(await freePort(port), port)
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  const taken = { code: 'PortInUse', message: new RegExp(`port ${port} is in use`) }
  await assert.rejects(freePort(port), taken)
  server.close()
})
