// A devnet that is killed and started again on one folder, and all that stands outside it: its L1,
// the load, and checkers that have seen everything since its first start.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Load, startLoad } from '#devnet'
import { genesisFile } from '#node'
import { DomainError } from '#primitives'
import { decode, type Genesis, genesisCodec } from '#records'
import { createSigningChecker, type SigningChecker } from '../support/signing-checker.ts'
import { type ChainChecker, createChainChecker } from './chain-checker.ts'
import {
  type DevnetProcess,
  dataOf,
  endL1,
  l1UrlOf,
  signaturesOf,
  startDevnetProcess,
} from './devnet-process.ts'
import { toBeEnded } from './ending.ts'
import { createFolderChecker, type FolderChecker } from './folder-checker.ts'
import { type L1Witness, openL1Witness } from './l1-witness.ts'
import { loadOf } from './load.ts'
import { readSignatures } from './signature-file.ts'

/** The network and what watches it. */
export type KilledNetwork = {
  readonly data: string
  readonly genesis: Genesis
  readonly gateways: readonly string[]
  readonly load: Load
  readonly checker: SigningChecker
  readonly folders: FolderChecker
  readonly chain: ChainChecker
  readonly l1: L1Witness
  readonly l1Url: () => string
  /** Starts it; serving is waited for apart. */
  start(): void
  /** @throws NotStartedError when it ended before. */
  requireServing(): Promise<void>
  /** Ends it as asked. */
  end(): Promise<void>
  /** Ends it at once, and looks at what it leaves behind. */
  kill(): Promise<void>
  /** Ends its L1 at once too: what it has not written is gone. While the network is down. */
  killL1(): void
  /** Whether L1 makes blocks; calls reach it all the same. */
  setMining(isOn: boolean): Promise<void>
  /** Ends everything, and removes the folder. */
  close(): Promise<void>
}

/** Operators of such a devnet. */
const operators = 4

/**
 * Starts a new network, and a load on it once it serves.
 *
 * @param rate - transactions a second.
 * @param port - of the first gateway.
 */
export async function openKilledNetwork(rate: number, port: number): Promise<KilledNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-soak-'))
  const data = dataOf(folder)
  const checker = createSigningChecker()
  const l1 = await openL1Witness(() => l1UrlOf(data), checker)
  const start = () => startDevnetProcess({ folder, port, l1Url: l1.url })
  let running = start()
  const close = toBeEnded(async () => {
    await running.kill()
    await l1.close()
    endL1(data)
    rmSync(folder, { recursive: true, force: true })
  })
  try {
    await requireServing(running)
    const gateways = Array.from({ length: operators }, (_, i) => `http://127.0.0.1:${port + i}`)
    const genesis = decode(genesisCodec, new Uint8Array(readFileSync(join(data, genesisFile))))
    const folders = createFolderChecker(genesis, ({ name }) => join(data, name), checker)
    const load = loadOf(gateways, genesis, rate)
    await startLoad(load)
    const readNew = readSignatures(signaturesOf(folder), checker)
    const look = () => {
      readNew()
      return folders.look()
    }
    return {
      ...{ data, genesis, gateways, load, checker, folders, l1, close },
      chain: createChainChecker(gateways),
      l1Url: () => l1UrlOf(data),
      killL1: () => endL1(data),
      start() {
        running = start()
      },
      requireServing: () => requireServing(running),
      end: () => running.end().then(look),
      kill: () => running.kill().then(look),
      setMining: (isOn) => setMining(l1UrlOf(data), isOn),
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function requireServing(devnet: DevnetProcess): Promise<void> {
  if (await devnet.serves) return
  const said = devnet.lines.slice(-8).join(' / ')
  throw new NotStartedError(`a devnet did not start again: ${said}`, { said })
}

/** A devnet that was killed does not come up again. */
export class NotStartedError extends DomainError<'NotStarted', { readonly said: string }> {
  override readonly code = 'NotStarted'
}

async function setMining(l1Url: string, isOn: boolean): Promise<void> {
  const call = { jsonrpc: '2.0', id: 1, method: 'evm_setIntervalMining', params: [isOn ? 1 : 0] }
  const headers = { 'content-type': 'application/json' }
  await fetch(l1Url, { method: 'POST', headers, body: JSON.stringify(call) })
}
