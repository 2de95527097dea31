import { type Hex, sha256Hex, toHex, utf8 } from '#primitives'
import type { Application, DecidedBlock, ExecutedBlock, Validator } from '#records'

/** What a tracing application keeps when its process dies. */
export type TracingDisk = { height: number; appHash: Hex }

export const emptyDisk = (): TracingDisk => ({ height: 0, appHash: sha256Hex(utf8('genesis')) })

/** An application in which everything that a block says is seen in the app hash after it. */
export type TracingApplication = Application & {
  /** Transactions that wait. */
  readonly pool: Map<Hex, Uint8Array>
}

/**
 * A block without transactions and misbehaviour leaves the app hash alone. A transaction that
 * begins with `bad` is refused by every call; `void` is refused when it is executed.
 *
 * @param disk - what earlier processes committed; changed by `commit` alone.
 */
export function createTracingApplication(
  validators: readonly Validator[],
  disk: TracingDisk = emptyDisk(),
  updates: (height: number) => readonly Validator[] = () => [],
): TracingApplication {
  const pool = new Map<Hex, Uint8Array>()
  let pending: { readonly block: DecidedBlock; readonly appHash: Hex } | undefined
  const isBad = (bytes: Uint8Array) => bytes.length === 0 || startsWith(bytes, 'bad')
  return {
    pool,
    info: async () => ({ ...disk }),
    consensusKeys: () => validators.map(({ consensusKey }) => consensusKey),
    initChain: async () => ({ appHash: disk.appHash, validators }),
    async checkTransaction(bytes) {
      if (isBad(bytes)) return { ok: false, reason: 'BadEncoding', detail: 'as asked' }
      const id = sha256Hex(bytes)
      if (pool.has(id)) return { ok: false, reason: 'AlreadyWaiting' }
      pool.set(id, bytes)
      return { ok: true }
    },
    holdsTransaction: (bytes) => pool.has(sha256Hex(bytes)),
    prepareProposal: async () => [...pool.values()],
    processProposal: async ({ transactions }) =>
      transactions.some(isBad) ? { ok: false, reason: 'BadEncoding' } : { ok: true },
    async finalizeBlock(block): Promise<ExecutedBlock> {
      const appHash = isEmpty(block) ? disk.appHash : hashOf(disk.appHash, block)
      pending = { block, appHash }
      return {
        appHash,
        results: block.transactions.map((bytes) =>
          startsWith(bytes, 'void') ? { ok: false, reason: 'NothingNew' } : { ok: true },
        ),
        validatorUpdates: updates(block.height),
      }
    },
    async commit() {
      if (!pending) throw new Error('defect: commit without finalizeBlock')
      const { block, appHash } = pending
      pending = undefined
      Object.assign(disk, { height: block.height, appHash })
      for (const bytes of block.transactions) pool.delete(sha256Hex(bytes))
    },
    workDueMs: () => (pool.size > 0 ? 0 : undefined),
  }
}

const startsWith = (bytes: Uint8Array, word: string): boolean =>
  toHex(bytes).startsWith(toHex(utf8(word)))

const isEmpty = ({ transactions, misbehaviour }: DecidedBlock): boolean =>
  transactions.length === 0 && misbehaviour.length === 0

const hashOf = (before: Hex, { transactions, ...rest }: DecidedBlock): Hex =>
  sha256Hex(utf8(JSON.stringify([before, rest, transactions.map(toHex)])))
