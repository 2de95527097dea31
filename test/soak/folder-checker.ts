// Reads an operator's files as a killed process left them, on a copy in memory, and holds them
// against all that was ever read before.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openFileBlockStore, openFileLog, openRecordFile, ownerHeader } from '#consensus'
import { type GuardRecord, guardFile, guardRecordCodec } from '#node'
import type { Hex } from '#primitives'
import { decode, type Genesis, type GenesisOperator, networkId } from '#records'
import { createFaultyDisk, type FaultyDisk } from '../support/faulty-disk.ts'
import { silentLogger } from '../support/manual-clock.ts'
import type { SigningChecker } from '../support/signing-checker.ts'

/** Knows every block and signature that any folder has shown. */
export type FolderChecker = {
  /** Reads all operators' folders; while their process is down. */
  look(): Promise<void>
  /** The highest block seen. */
  height(): number
  readonly problems: readonly string[]
}

const files = { log: 'consensus.log', blocks: 'blocks.log' } as const

/** Blocks below the highest one that are read again each time. */
const readAgain = 20

/** @param folderOf - an operator's folder. */
export function createFolderChecker(
  genesis: Genesis,
  folderOf: (operator: GenesisOperator) => string,
  checker: SigningChecker,
): FolderChecker {
  const network = networkId(genesis)
  const blocks = new Map<number, Hex>()
  const reached = new Map<number, number>()
  const problems: string[] = []
  const see = (operator: GenesisOperator, height: number, appHash: Hex) => {
    const known = blocks.get(height) ?? appHash
    if (known !== appHash)
      problems.push(`block ${height} of ${operator.name}: app hash ${appHash}, and ${known}`)
    blocks.set(height, known)
  }
  const lookAtBlocks = async (operator: GenesisOperator, disk: FaultyDisk) => {
    const store = await openFileBlockStore(files.blocks, network, silentLogger, disk)
    const before = reached.get(operator.id) ?? 0
    if (store.height() < before)
      problems.push(`${operator.name} has lost blocks ${store.height() + 1} to ${before}`)
    for (let height = Math.max(1, before - readAgain); height <= store.height(); height++) {
      const stored = await store.load(height)
      if (stored) see(operator, height, stored.appHash)
    }
    reached.set(operator.id, store.height())
  }
  const lookAtLog = async ({ id, consensusKey }: GenesisOperator, disk: FaultyDisk) => {
    const owner = { networkId: network, validator: consensusKey }
    const log = await openFileLog(files.log, owner, silentLogger, disk)
    for (const record of log.replay()) {
      if (record.kind !== 'vote' || record.vote.validator !== consensusKey) continue
      const { height, round, step, value } = record.vote
      checker.signed('logged vote', `${id} ${height} ${round} ${step}`, value ?? '0x')
    }
  }
  const lookAtGuard = async ({ id, consensusKey }: GenesisOperator, disk: FaultyDisk) => {
    let instance: Hex = '0x'
    await openRecordFile({
      ...{ disk, path: guardFile, onDamage: 'refuse', logger: silentLogger, remedy: '' },
      header: ownerHeader({ version: 1, networkId: network, validator: consensusKey }),
      whose: () => 'belongs to another',
      onRecord(payload) {
        const record = decode(guardRecordCodec, payload)
        if (record.kind === 'start') instance = record.instance
        else seeSignature(checker, id, instance, record)
      },
    })
  }
  return {
    async look() {
      for (const operator of genesis.operators) {
        const disk = copyOf(folderOf(operator))
        if (disk.bytes(guardFile)) await lookAtGuard(operator, disk)
        if (disk.bytes(files.log)) await lookAtLog(operator, disk)
        if (disk.bytes(files.blocks)) await lookAtBlocks(operator, disk)
      }
    },
    height: () => Math.max(0, ...blocks.keys()),
    problems,
  }
}

function seeSignature(
  checker: SigningChecker,
  operator: number,
  instance: Hex,
  record: GuardRecord,
): void {
  if (record.kind === 'vote') {
    const { height, round, step } = record.slot
    checker.signed('recorded vote', `${operator} ${height} ${round} ${step}`, record.digest)
  }
  if (record.kind === 'report')
    checker.signed('recorded report', `${operator} ${record.sequence}`, record.digest)
  if (record.kind === 'share')
    checker.signed('recorded nonce', `${operator} ${instance} ${record.index}`, record.digest)
}

/** The record files of a folder, on a disk of their own. */
function copyOf(folder: string): FaultyDisk {
  const disk = createFaultyDisk(1)
  const isRead = (name: string) =>
    name === guardFile || name === files.log || /^blocks.*\.log$/.test(name)
  const names = existsSync(folder) ? readdirSync(folder).filter(isRead) : []
  for (const name of names) disk.put(name, new Uint8Array(readFileSync(join(folder, name))))
  return disk
}
