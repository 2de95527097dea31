import { type Common, createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createEVM, type EVMMockBlockchainInterface, type EVMOpts } from '@ethereumjs/evm'
import { paramsTx } from '@ethereumjs/tx'
import { createVM, type VM } from '@ethereumjs/vm'
import { assert, fromHex, type Hex } from '#primitives'
import type { L2Parameters } from '../state/genesis.ts'
import { type Recover, toEthereumjsRecover } from './recover.ts'
import { type IsStopped, stoppableJumpdest, stoppableMessages } from './stop.ts'
import { type StateSource, WorldState } from './world-state.ts'

/** An EVM on a world state of its own: one builds blocks, another answers calls. */
export type Machine = {
  readonly vm: VM
  readonly common: Common
  /** For transactions: one for all of them. */
  readonly transactionCommon: Common
  readonly state: WorldState
}

/** Hash of an earlier block of the chain being extended, for BLOCKHASH. */
export type BlockHashOf = (number: number) => Hex | undefined

/** What a machine is made of, beside the chain and its state. */
export type MachineOptions = {
  readonly recover: Recover
  readonly blockHashOf: BlockHashOf
  /** For queries only: what a block executes is never stopped. */
  readonly isStopped?: IsStopped
  /** Accounts and nodes kept in memory between executions, at most. */
  readonly maxKept?: number
}

/** A machine at a state root, running the chain's fork from its first block on. */
export async function createMachine(
  { chainId, hardfork }: L2Parameters,
  source: StateSource,
  root: Uint8Array,
  { recover, blockHashOf, isStopped, maxKept }: MachineOptions,
): Promise<Machine> {
  const customCrypto = { ecrecover: toEthereumjsRecover(recover) }
  const chain = { chainId, name: 'nodeop-l2' }
  const common = createCustomCommon(chain, Mainnet, { hardfork, customCrypto })
  const state = new WorldState(source, root, maxKept)
  const blockchain: EVMMockBlockchainInterface = {
    getBlock: async (number) => {
      const hash = blockHashOf(number)
      assert(hash, `block ${number} of this chain is stored`)
      return { hash: () => fromHex(hash) }
    },
    putBlock: async () => {},
    shallowCopy: () => blockchain,
  }
  const customOpcodes = isStopped ? [stoppableJumpdest(isStopped)] : []
  const options: EVMOpts = { common, stateManager: state, blockchain, customOpcodes }
  const evm = await createEVM(options)
  if (isStopped) stoppableMessages(evm, isStopped)
  const vm = await createVM({ common, stateManager: state, blockchain, evm })
  return { vm, common, transactionCommon: sharedCommon(common), state }
}

/**
 * The library copies the chain's rules for every transaction, which costs as much as executing a
 * transfer. The fork never changes here, so all transactions share one copy.
 */
function sharedCommon(common: Common): Common {
  const shared = common.copy()
  shared.updateParams(paramsTx)
  return Object.assign(shared, { copy: () => shared, updateParams: () => {} })
}
