import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { sendFirstTransfer } from './first-transfer.ts'

/** Runs against a gateway that answers every request in this way. */
async function withGateway(answer: RequestListener, run: (url: string) => Promise<void>) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('first transfer: a gateway that never answers is given up in time', () =>
  withGateway(
    () => {},
    (url) =>
      assert.rejects(sendFirstTransfer(url, 100), {
        code: 'FirstTransferFailed',
        message: 'the first transfer was not confirmed: no answer within 100 ms',
      }),
  ))

test('first transfer: what the gateway says is passed on in one line', () =>
  withGateway(
    (_, response) => response.writeHead(503).end('no block for 10 s'),
    (url) =>
      assert.rejects(sendFirstTransfer(url, 4_000), {
        code: 'FirstTransferFailed',
        message: /^the first transfer was not confirmed: no block for 10 s$/,
      }),
  ))
