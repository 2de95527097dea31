import { hash } from 'node:crypto'
import { sha256Hex } from '#primitives'
import type { Application, DecidedBlock } from '#records'
import type { PayloadNetwork } from './payload-operator.ts'

/**
 * Takes every transaction once, proposes all that wait, and does nothing with them: what a socket
 * costs alone.
 */
export function createEmptyApplication({ genesis }: PayloadNetwork): Application {
  const waiting = new Map<string, Uint8Array>()
  // A peer may hand one over after its block.
  const included = new Set<string>()
  const validators = genesis.operators.map(({ consensusKey, power }) => ({ consensusKey, power }))
  const appHash = sha256Hex(new Uint8Array())
  let height = 0
  let decided: DecidedBlock | undefined
  return {
    info: async () => ({ height, appHash }),
    consensusKeys: () => validators.map(({ consensusKey }) => consensusKey),
    initChain: async () => ({ appHash, validators }),
    async checkTransaction(bytes) {
      const name = nameOf(bytes)
      if (!included.has(name)) waiting.set(name, bytes)
      return { ok: true }
    },
    holdsTransaction: (bytes) => waiting.has(nameOf(bytes)),
    prepareProposal: async () => [...waiting.values()],
    processProposal: async () => ({ ok: true }),
    async finalizeBlock(block) {
      decided = block
      const results = block.transactions.map(() => ({ ok: true }) as const)
      return { appHash, results, validatorUpdates: [] }
    },
    async commit() {
      height = decided?.height ?? height
      for (const name of (decided?.transactions ?? []).map(nameOf)) {
        included.add(name)
        waiting.delete(name)
      }
    },
    workDueMs: () => (waiting.size > 0 ? 0 : undefined),
  }
}

const nameOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64')
