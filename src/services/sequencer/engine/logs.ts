import { fromHex, type Hex, keccak256, type Store } from '#primitives'
import { missing, receiptsOf } from './reads.ts'
import { blockEntry, firstBlock, headHash, readHeader } from './rows.ts'
import { goOn, type IsStopped } from './stop.ts'
import type { BlockHead, FoundLog, Log, LogFilter, LogsResult } from './types.ts'

/** Most blocks that one query may span, and logs that it may return: a reply stays under 10 MB. */
export const maxLogBlocks = 10_000
export const maxLogs = 10_000

/** The logs that match, in the chain's order. @throws QueryStoppedError when it shall end. */
export function findLogs(store: Store, filter: LogFilter, isStopped: IsStopped): LogsResult {
  const found: FoundLog[] = []
  if (filter.blockHash) {
    const header = readHeader(store, filter.blockHash)
    if (!header) return { status: 'refused', message: 'unknown block' }
    collect(store, { hash: filter.blockHash, header }, filter, found)
    return { status: 'found', logs: found }
  }
  const last = lastBlock(store, filter)
  if (last - filter.fromBlock >= maxLogBlocks)
    return { status: 'refused', message: `query exceeds max block range ${maxLogBlocks}` }
  const probes = probesOf(filter)
  for (let number = Math.max(filter.fromBlock, firstBlock(store)); number <= last; number++) {
    goOn(isStopped)
    const entry = blockEntry(store, number)
    if (!entry) throw missing(`block ${number}`)
    if (!mayHold(entry.bloom, probes)) continue
    const header = readHeader(store, entry.hash)
    if (!header) throw missing(`block ${number}`)
    collect(store, { hash: entry.hash, header }, filter, found)
    if (found.length > maxLogs)
      return { status: 'refused', message: `query returned more than ${maxLogs} results` }
  }
  return { status: 'found', logs: found }
}

function lastBlock(store: Store, filter: LogFilter): number {
  const head = headHash(store)
  const height = head ? (readHeader(store, head)?.number ?? 0) : 0
  return Math.min(filter.toBlock, height)
}

function collect(store: Store, block: BlockHead, filter: LogFilter, found: FoundLog[]): void {
  let logIndex = 0
  receiptsOf(store, block.hash)?.forEach((receipt, transactionIndex) => {
    for (const log of receipt.logs) {
      if (matches(log, filter)) {
        const { transactionHash } = receipt
        found.push({ ...log, block, transactionHash, transactionIndex, logIndex })
      }
      logIndex++
    }
  })
}

function matches(log: Log, { addresses, topics }: LogFilter): boolean {
  if (addresses.length > 0 && !addresses.includes(log.address)) return false
  if (topics.length > log.topics.length) return false
  return topics.every((any, at) => any.length === 0 || any.includes(log.topics[at] as Hex))
}

/** Alternatives that a bloom is asked for: every list needs one member in it. */
type Probes = readonly (readonly (readonly number[])[])[]

const probesOf = ({ addresses, topics }: LogFilter): Probes =>
  [addresses, ...topics].filter((any) => any.length > 0).map((any) => any.map(bloomBits))

const mayHold = (bloom: Uint8Array, probes: Probes): boolean =>
  probes.every((any) => any.some((bits) => bits.every((bit) => hasBit(bloom, bit))))

/** The three bits that a value sets in a bloom (yellow paper, 4.3.1). */
function bloomBits(value: Hex): readonly number[] {
  const hash = keccak256(fromHex(value))
  return [0, 2, 4].map((at) => (((hash[at] as number) << 8) | (hash[at + 1] as number)) & 2047)
}

const hasBit = (bloom: Uint8Array, bit: number): boolean =>
  (((bloom[255 - (bit >> 3)] as number) >> (bit & 7)) & 1) === 1
