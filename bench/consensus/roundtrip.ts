import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { serveApplication } from '#consensus'
import { concatBytes } from '#primitives'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { genesisOf } from './comet-genesis.ts'
import { openPayloadApplication, payloadNetwork } from './payload-operator.ts'
import { payloadTransaction } from './payload-service.ts'

const warmups = 500
const timed = 2_000

/**
 * From a `CheckTx` on the socket to its answer, with the check of one signature; both ends are in
 * one process.
 *
 * @returns the median in microseconds.
 */
export async function roundtripUs(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-bench-abci-'))
  const network = payloadNetwork(4, Date.now())
  const operator = await openPayloadApplication({
    ...{ network, operator: 1, folder, logger: silentLogger },
  })
  const server = await serveApplication({
    ...{ application: operator.application, chain: genesisOf(network), mempool: 'flood' },
    logger: silentLogger,
    listen: { path: join(folder, 'abci.sock') },
    onFailure: () => {},
  })
  try {
    const socket = createConnection(server.address.slice('unix://'.length))
    await once(socket, 'connect')
    const times: number[] = []
    for (let place = 0; place < warmups + timed; place++) {
      const tx = payloadTransaction(place)
      const startedMs = performance.now()
      socket.write(checkTxFrame(tx))
      await once(socket, 'data') // an answer is far shorter than what the socket takes at once
      times.push(performance.now() - startedMs)
    }
    socket.end()
    const sorted = times.slice(warmups).toSorted((a, b) => a - b)
    return 1_000 * (sorted[timed / 2] ?? Number.NaN)
  } finally {
    await server.close()
    operator.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * A request as CometBFT writes it: its length, then field 8 (`check_tx`), whose field 1 is `tx`.
 */
function checkTxFrame(tx: Uint8Array): Uint8Array {
  const field = (tag: number, bytes: Uint8Array) => concatBytes(varint(tag), framed(bytes))
  return framed(field(0x42, field(0x0a, tx)))
}

const framed = (bytes: Uint8Array) => concatBytes(varint(bytes.length), bytes)

const varint = (value: number): Uint8Array =>
  value < 128
    ? new Uint8Array([value])
    : concatBytes(new Uint8Array([(value & 127) | 128]), varint(value >> 7))
