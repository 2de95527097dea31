import { type Hex, hexToBytes, toHex, keccak256 as viemKeccak } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { createEngine } from '../engine/engine.ts'
import { createMemoryStore } from '../engine/memory-store.ts'
import type { Engine, ExecutionResult } from '../engine/types.ts'
import type { BlockContext } from '../state/computation.ts'
import { type NewL2Chain, readL2Genesis, writeL2Genesis } from '../state/genesis.ts'
import { nativeRecover } from './native-recover.ts'

/** Chain of all tests here. */
export const chainId = 77_777
export const genesisTime = 1_700_000_000
export const feeRecipient: Hex = '0x00000000000000000000000000000000000000fe'
export const ether = 10n ** 18n
export const gwei = 10n ** 9n

/** Accounts that tests sign with; the first eight are funded with 1,000 ether. */
export const people = Array.from({ length: 10 }, (_, i) =>
  privateKeyToAccount(viemKeccak(toHex(`person ${i}`))),
)
export const person = (index: number) => people[index] as (typeof people)[number]
export const addressOf = (index: number): Hex => person(index).address.toLowerCase() as Hex

/** Genesis bytes with the funded accounts. */
export const testGenesis = (changes: Partial<NewL2Chain> = {}): Uint8Array =>
  writeL2Genesis({
    chainId,
    timestamp: genesisTime,
    feeRecipient,
    balances: people.slice(0, 8).map((_, i) => [addressOf(i), 1000n * ether] as const),
    ...changes,
  })

/** A context as the ledger would give it for consensus height n. */
export const contextAt = (height: number, parentHash: Hex): BlockContext => ({
  parentHash,
  timestamp: genesisTime + height,
  prevRandao: viemKeccak(toHex(`randomness ${height}`)),
  feeRecipient,
  parentBeaconBlockRoot: toHex(height, { size: 32 }),
})

/** An engine that executes lists one after another. */
export type TestChain = {
  readonly engine: Engine
  readonly genesis: Uint8Array
  run(...transactions: readonly Hex[]): Promise<ExecutionResult>
}

export async function createTestChain(genesis = testGenesis()): Promise<TestChain> {
  const store = createMemoryStore()
  const engine = await createEngine({ genesis, store, recover: nativeRecover })
  let parent: Hex = readL2Genesis(genesis).hash
  let height = 0
  return {
    engine,
    genesis,
    run: async (...transactions) => {
      height++
      const context = contextAt(height, parent)
      const result = await engine.execute(height, context, transactions.map(bytesOf))
      parent = result.block?.hash ?? parent
      return result
    },
  }
}

export const bytesOf = (hex: Hex): Uint8Array => hexToBytes(hex)

type Fields = {
  readonly to?: Hex
  readonly value?: bigint
  readonly data?: Hex
  readonly gas?: bigint
  readonly maxFeePerGas?: bigint
  readonly maxPriorityFeePerGas?: bigint
  readonly chainId?: number
}

/** A signed EIP-1559 transaction. */
export const signed = (from: number, nonce: number, fields: Fields = {}): Promise<Hex> =>
  person(from).signTransaction({
    type: 'eip1559',
    chainId,
    nonce,
    gas: 21_000n,
    maxFeePerGas: 100n * gwei,
    maxPriorityFeePerGas: gwei,
    ...fields,
  })

/** A transfer of 1 wei, or of `value`. */
export const transfer = (from: number, nonce: number, to: number, fields: Fields = {}) =>
  signed(from, nonce, { to: addressOf(to), value: 1n, ...fields })

/**
 * Runtime code: called without data it stores BLOCKHASH(number − 1) in slot 0 and PREVRANDAO in
 * slot 1, logs the number under the topic PREVRANDAO and returns it; with data it reverts.
 */
const probeRuntime =
  '36601f57600143034060005544600155436000524460206000a160206000f35b366000600037366000fd'
const probeBytes = (probeRuntime.length / 2).toString(16)

/** Initcode of the probe. */
export const probeInitcode: Hex = `0x60${probeBytes}80600b6000396000f3${probeRuntime}`
