import { sha256Hex, toHex } from '#primitives'
import type { Application, DecidedBlock } from '#records'
import type { PayloadNetwork } from './payload-operator.ts'

/**
 * Takes every transaction, proposes all that wait, and keeps nothing: what a socket costs alone.
 */
export function createEmptyApplication({ genesis }: PayloadNetwork): Application {
  const waiting = new Map<string, Uint8Array>()
  const validators = genesis.operators.map(({ consensusKey, power }) => ({ consensusKey, power }))
  const appHash = sha256Hex(new Uint8Array())
  let height = 0
  let decided: DecidedBlock | undefined
  return {
    info: async () => ({ height, appHash }),
    consensusKeys: () => validators.map(({ consensusKey }) => consensusKey),
    initChain: async () => ({ appHash, validators }),
    async checkTransaction(bytes) {
      waiting.set(toHex(bytes), bytes)
      return { ok: true }
    },
    holdsTransaction: (bytes) => waiting.has(toHex(bytes)),
    prepareProposal: async () => [...waiting.values()],
    processProposal: async () => ({ ok: true }),
    async finalizeBlock(block) {
      decided = block
      const results = block.transactions.map(() => ({ ok: true }) as const)
      return { appHash, results, validatorUpdates: [] }
    },
    async commit() {
      height = decided?.height ?? height
      for (const bytes of decided?.transactions ?? []) waiting.delete(toHex(bytes))
    },
    workDueMs: () => (waiting.size > 0 ? 0 : undefined),
  }
}
