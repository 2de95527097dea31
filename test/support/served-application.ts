import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  type AbciServer,
  type ConnectionEnd,
  encodeBatch,
  type ListenAt,
  type ServeOptions,
  serveApplication,
} from '#consensus'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import type { Application, DecidedBlock, Validator } from '#records'
import type { CometGenesis } from './comet-driver.ts'
import { silentLogger } from './manual-clock.ts'

/** Four consensus keys; nothing is signed with them here. */
export const testKeys: readonly Hex[] = [1, 2, 3, 4].map((i) => sha256Hex(utf8(`key ${i}`)))
export const testValidators: readonly Validator[] = testKeys.map((consensusKey, i) => ({
  consensusKey,
  power: BigInt(i + 1),
}))

/** The genesis that the served applications expect. */
export const testGenesis: CometGenesis = {
  chain: { networkId: sha256Hex(utf8('a network')), appVersion: 3 },
  validators: testValidators,
}

/** A server, and what it was heard to say. */
export type Served = {
  readonly server: AbciServer
  readonly decided: DecidedBlock[]
  readonly failures: unknown[]
  /** The next end of a connection that the server has a reason for. */
  nextRefusal(): Promise<ConnectionEnd>
}

/** Time of a block that the listener to decisions fails at. */
export const defectMs = 666

/**
 * Serves an application until the test is over; to a CometBFT with a mempool of its own, at once.
 */
export async function serve(
  t: TestContext,
  application: Application,
  listen: ListenAt = socketOf(t),
  {
    snapshots,
    patience,
    mempool = 'flood',
  }: Partial<Pick<ServeOptions, 'snapshots' | 'patience' | 'mempool'>> = {},
): Promise<Served> {
  const decided: DecidedBlock[] = []
  const failures: unknown[] = []
  const refusals: ConnectionEnd[] = []
  let told: (() => void) | undefined
  const server = await serveApplication({
    ...{ application, snapshots, patience, mempool, listen, chain: testGenesis.chain },
    logger: silentLogger,
    onDecided: ({ block }) => {
      decided.push(block)
      if (block.timeMs === defectMs) throw new Error('a defect of the listener')
    },
    onFailure: (error) => failures.push(error),
    onEnd: (end) => {
      if (end.reason === undefined) return
      refusals.push(end)
      told?.()
    },
  })
  t.after(() => server.close())
  const nextRefusal = async (): Promise<ConnectionEnd> => {
    const first = refusals.shift()
    if (first) return first
    await new Promise<void>((resolve) => {
      told = resolve
    })
    return nextRefusal()
  }
  return { server, decided, failures, nextRefusal }
}

/** A path for a socket, in a folder of its own. */
export function socketOf(t: TestContext): { readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop abci '))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return { path: join(folder, 'abci.sock') }
}

/** What CometBFT says when a peer has sent transactions. */
export const batchOf = (...texts: readonly string[]) => ({
  case: 'insertTx' as const,
  value: { tx: encodeBatch({ sequence: 0, transactions: texts.map(utf8) }) },
})

/** A block as CometBFT decides it. */
export const blockOf = (
  height: number,
  transactions: readonly string[] = [],
  rest: Partial<DecidedBlock> = {},
): DecidedBlock => ({
  height,
  timeMs: 1_700_000_000_000 + height * 1_001,
  proposer: testKeys[height % testKeys.length] as Hex,
  transactions: transactions.map(utf8),
  misbehaviour: [],
  hash: sha256Hex(utf8(`block ${height}`)),
  ...rest,
})
