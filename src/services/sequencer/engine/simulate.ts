import type { ExecResult } from '@ethereumjs/evm'
import { Account, Address, bytesToUnprefixedHex } from '@ethereumjs/util'
import { fromHex, type Store } from '#primitives'
import type { Header } from '../state/header.ts'
import { floorGas, intrinsicGas } from '../state/intrinsic-gas.ts'
import { evmBlock } from './build-block.ts'
import { delegate } from './delegate.ts'
import { callGasCap, estimate } from './estimate.ts'
import { gasBearing } from './gas-bearing.ts'
import type { Machine } from './machine.ts'
import { createQueue } from './queue.ts'
import { blockHead } from './reads.ts'
import type { Recover } from './recover.ts'
import type { BlockRef, CallMessage, CallResult, Engine } from './types.ts'
import { feeBelowBase, insufficientFunds } from './validity.ts'

/** Executes messages on the state of stored blocks; nothing they change remains. */
export async function createSimulator(
  store: Store,
  newMachine: () => Promise<Machine>,
  recover: Recover,
): Promise<Pick<Engine, 'call' | 'estimateGas'>> {
  const inTurn = createQueue()
  let machine = await newMachine()
  const inside = () => ({ machine, recover })
  const on = <T>(ref: BlockRef, task: (header: Header) => Promise<T>): Promise<T | undefined> =>
    inTurn(async () => {
      const block = blockHead(store, ref)
      if (!block) return undefined
      const root = fromHex(block.header.stateRoot)
      if (bytesToUnprefixedHex(machine.state.root) !== block.header.stateRoot.slice(2))
        machine.state.reset(root)
      try {
        return await task(block.header)
      } catch (error) {
        machine = await newMachine() // it was left in the middle of a message
        throw error
      }
    })
  return {
    call: (message, ref) =>
      on(ref, (header) => simulate(inside(), header, message, callGas(message))),
    estimateGas: (message, ref) =>
      on(ref, (header) =>
        estimate(message, header, machine, (gas) => simulate(inside(), header, message, gas)),
      ),
  }
}

const callGas = ({ gas }: CallMessage): bigint =>
  gas !== undefined && gas < callGasCap ? gas : callGasCap

type Inside = { readonly machine: Machine; readonly recover: Recover }

/** One execution with a gas limit, undone afterwards. */
async function simulate(
  { machine, recover }: Inside,
  header: Header,
  message: CallMessage,
  gas: bigint,
): Promise<CallResult> {
  const mark = machine.state.mark()
  try {
    return await applyMessage({ machine, recover }, header, message, gas)
  } finally {
    machine.state.rollback(mark)
    machine.vm.evm.journal.cleanJournal()
    machine.state.originalStorageCache.clear()
    machine.state.trim()
  }
}

async function applyMessage(
  { machine, recover }: Inside,
  header: Header,
  message: CallMessage,
  gas: bigint,
): Promise<CallResult> {
  const value = message.value ?? 0n
  const gasPrice = message.gasPrice ?? 0n
  const from = message.from ?? zeroAddress
  const caller = new Address(fromHex(from))
  const account = (await machine.state.getAccount(caller)) ?? new Account()
  const cost = value + gas * gasPrice
  if (account.balance < cost) return failed(insufficientFunds(from, account.balance, cost).detail)
  if (gasPrice !== 0n && gasPrice < header.baseFeePerGas)
    return failed(feeBelowBase(from, gasPrice, header.baseFeePerGas).detail)
  const bearing = gasBearing(message)
  const intrinsic = intrinsicGas(bearing)
  const least = BigInt(Math.max(intrinsic, floorGas(bearing.data)))
  if (gas < least) return failed(`intrinsic gas too low: have ${gas}, want ${least}`)
  // As in a transaction: the nonce rises first, and the address of a creation depends on it.
  account.nonce += 1n
  account.balance -= gas * gasPrice
  await machine.vm.evm.journal.putAccount(caller, account)
  warm(machine, header, message, caller)
  await delegate(machine, message.authorizations ?? [], recover)
  const { execResult } = await machine.vm.evm.runCall({
    block: evmBlock(machine, gasPrice === 0n ? { ...header, baseFeePerGas: 0n } : header),
    gasPrice,
    caller,
    ...(message.to ? { to: new Address(fromHex(message.to)) } : {}),
    value,
    data: bearing.data,
    gasLimit: gas - BigInt(intrinsic),
    skipNonceIncrement: true,
  })
  return resultOf(execResult, BigInt(intrinsic), BigInt(floorGas(bearing.data)))
}

/** Addresses and slots that are warm from the start (EIP-2929, 2930, 3651). */
function warm({ vm }: Machine, header: Header, message: CallMessage, caller: Address): void {
  const { journal } = vm.evm
  for (const address of vm.evm.precompiles.keys()) journal.addAlwaysWarmAddress(address)
  journal.addAlwaysWarmAddress(caller.toString())
  journal.addAlwaysWarmAddress(header.feeRecipient)
  if (message.to) journal.addAlwaysWarmAddress(message.to)
  for (const { address, storageKeys } of message.accessList ?? []) {
    journal.addAlwaysWarmAddress(address)
    for (const key of storageKeys) journal.addAlwaysWarmSlot(address, key)
  }
}

function resultOf(execution: ExecResult, intrinsic: bigint, floor: bigint): CallResult {
  const { exceptionError, executionGasUsed, returnValue, gasRefund = 0n } = execution
  const spent = intrinsic + executionGasUsed
  const refund = gasRefund < spent / maxRefundQuotient ? gasRefund : spent / maxRefundQuotient
  const gasUsed = spent - refund > floor ? spent - refund : floor
  if (!exceptionError) return { status: 'returned', data: returnValue, gasUsed }
  if (exceptionError.error === 'revert') return { status: 'reverted', data: returnValue, gasUsed }
  return failed(exceptionError.error)
}

/** At most a fifth of the gas comes back (EIP-3529). */
const maxRefundQuotient = 5n
const zeroAddress = '0x0000000000000000000000000000000000000000'

const failed = (message: string): CallResult => ({ status: 'failed', message })
