import { type Block, createBlock } from '@ethereumjs/block'
import { createTxFromRLP } from '@ethereumjs/tx'
import { Address } from '@ethereumjs/util'
import { type RunTxResult, runTx } from '@ethereumjs/vm'
import { DomainError, type Hex, toHex } from '#primitives'
import { type CheckRules, checkEthereumTransaction } from '../state/check.ts'
import type { BlockContext, Dropped } from '../state/computation.ts'
import type { EthereumTransaction } from '../state/ethereum-transaction.ts'
import { type Header, headerHash, nextBaseFee } from '../state/header.ts'
import { indexedRoot } from '../state/trie.ts'
import type { Machine } from './machine.ts'
import { type Recover, senderOf } from './recover.ts'
import { encodeConsensusReceipt } from './rows.ts'
import { beginBlock, endBlock } from './system-calls.ts'
import type { BlockHead, Log, StoredReceipt } from './types.ts'
import { type Refused, refused, senderRefusal, senderState } from './validity.ts'
import type { StateSink } from './world-state.ts'

/** A block that was executed, ready to be stored. */
export type BuiltBlock = BlockHead & {
  readonly transactions: readonly EthereumTransaction[]
  readonly receipts: readonly StoredReceipt[]
}

/** What came of building. */
export type Built = {
  /** Undefined when no transaction could be included; then the state is untouched. */
  readonly block: BuiltBlock | undefined
  readonly dropped: readonly Dropped[]
}

/** What a block is built from. */
export type BuildInput = {
  readonly parent: BlockHead
  readonly context: BlockContext
  readonly transactions: readonly Uint8Array[]
}

/**
 * Executes the transactions in order on the machine, which stands at the parent's state, and makes
 * the block of those that are valid. Every transaction that is not leaves no trace but its reason.
 *
 * @param sink - receives what the new state adds to the store.
 */
export async function buildBlock(
  machine: Machine,
  rules: CheckRules,
  recover: Recover,
  input: BuildInput,
  sink: StateSink,
): Promise<Built> {
  const open = openHeader(input.parent, input.context)
  const before = machine.state.mark()
  await beginBlock(machine, open)
  const progress = newProgress(machine, open)
  const dropped: Dropped[] = []
  for (const [index, raw] of input.transactions.entries()) {
    const outcome = await include(machine, rules, recover, progress, raw)
    if (outcome) dropped.push({ index, reason: outcome.reason, detail: outcome.detail })
  }
  if (progress.included.length === 0) {
    machine.state.rollback(before)
    return { block: undefined, dropped }
  }
  const requestsHash = await endBlock(machine)
  await machine.state.commit()
  const header = closeHeader(open, progress, requestsHash, machine.state.flush(sink))
  const { included: transactions, receipts } = progress
  return { block: { hash: headerHash(header), header, transactions, receipts }, dropped }
}

type OpenHeader = Omit<
  Header,
  'stateRoot' | 'transactionsRoot' | 'receiptsRoot' | 'logsBloom' | 'gasUsed' | 'requestsHash'
>

/** Everything of a header that is known before the first transaction. */
function openHeader(parent: BlockHead, context: BlockContext): OpenHeader {
  return {
    ...context,
    number: parent.header.number + 1,
    gasLimit: parent.header.gasLimit,
    extraData: '0x',
    baseFeePerGas: nextBaseFee(parent.header),
  }
}

/** What has been included so far. */
type Progress = {
  readonly header: OpenHeader
  readonly block: Block
  gasUsed: number
  readonly included: EthereumTransaction[]
  readonly receipts: StoredReceipt[]
  readonly bloom: Uint8Array
}

const newProgress = (machine: Machine, header: OpenHeader): Progress => ({
  header,
  block: evmBlock(machine, header),
  gasUsed: 0,
  included: [],
  receipts: [],
  bloom: new Uint8Array(256),
})

/** The block as the EVM's opcodes see it. */
export function evmBlock(machine: Machine, header: OpenHeader): Block {
  const data = {
    parentHash: header.parentHash,
    coinbase: header.feeRecipient,
    number: header.number,
    gasLimit: header.gasLimit,
    timestamp: header.timestamp,
    mixHash: header.prevRandao,
    baseFeePerGas: header.baseFeePerGas,
    difficulty: 0,
    excessBlobGas: 0n,
    blobGasUsed: 0n,
    parentBeaconBlockRoot: header.parentBeaconBlockRoot,
  }
  return createBlock({ header: data }, { common: machine.common, freeze: false })
}

/** Includes one transaction, or says why not. */
async function include(
  machine: Machine,
  rules: CheckRules,
  recover: Recover,
  progress: Progress,
  raw: Uint8Array,
): Promise<Refused | undefined> {
  const checked = checkEthereumTransaction(raw, rules)
  if (!checked.ok) return checked
  const { transaction } = checked
  const sender = senderOf(transaction, recover)
  if (!sender) return refused('InvalidSender', 'invalid sender')
  const refusal = await refusalOf(machine, progress, transaction, sender)
  if (refusal) return refusal
  const outcome = await run(machine, progress, transaction, sender)
  if ('ok' in outcome) return outcome
  append(progress, transaction, sender, outcome)
  return undefined
}

async function refusalOf(
  machine: Machine,
  { header, gasUsed }: Progress,
  transaction: EthereumTransaction,
  sender: Uint8Array,
): Promise<Refused | undefined> {
  if (transaction.gasLimit > BigInt(header.gasLimit - gasUsed))
    return refused('BlockGasExhausted', 'gas limit reached')
  const state = await senderState(machine.state, new Address(sender))
  return senderRefusal(transaction, toHex(sender), state, header.baseFeePerGas)
}

async function run(
  { vm, transactionCommon: common, state }: Machine,
  { block, gasUsed }: Progress,
  transaction: EthereumTransaction,
  sender: Uint8Array,
): Promise<RunTxResult | Refused> {
  const before = state.mark()
  try {
    const tx = createTxFromRLP(transaction.raw, { common, freeze: false })
    const address = new Address(sender)
    tx.getSenderAddress = () => address // recovered once, above
    const blockGasUsed = BigInt(gasUsed)
    const result = await runTx(vm, { tx, block, blockGasUsed, skipHardForkValidation: true })
    await state.commit()
    return result
  } catch (error) {
    if (isFault(error)) throw error
    state.rollback(before)
    vm.evm.journal.cleanJournal()
    return refused('ExecutionRefused', 'the EVM refused the transaction')
  }
}

/**
 * Whether an error is of this machine (a damaged store, no memory) and not of the transaction: then
 * the operator stops rather than drop what others include.
 */
const isFault = (error: unknown): boolean =>
  error instanceof DomainError ||
  error instanceof RangeError ||
  (error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR')

function append(
  progress: Progress,
  transaction: EthereumTransaction,
  sender: Uint8Array,
  result: RunTxResult,
): void {
  const gasUsed = Number(result.totalGasSpent)
  progress.gasUsed += gasUsed
  progress.included.push(transaction)
  const bloom = result.bloom.bitvector
  const logs = (result.execResult.logs ?? []).map(toLog)
  if (logs.length > 0)
    for (let i = 0; i < bloom.length; i++)
      progress.bloom[i] = (progress.bloom[i] as number) | (bloom[i] as number)
  progress.receipts.push({
    transactionHash: transaction.hash,
    type: transaction.type,
    from: toHex(sender),
    succeeded: result.execResult.exceptionError === undefined,
    gasUsed,
    cumulativeGasUsed: progress.gasUsed,
    logs,
    logsBloom: toHex(bloom),
  })
}

const toLog = ([address, topics, data]: [Uint8Array, Uint8Array[], Uint8Array]): Log => ({
  address: toHex(address),
  topics: topics.map(toHex),
  data: toHex(data),
})

function closeHeader(
  open: OpenHeader,
  progress: Progress,
  requestsHash: Hex,
  stateRoot: Uint8Array,
): Header {
  return {
    ...open,
    stateRoot: toHex(stateRoot),
    transactionsRoot: toHex(indexedRoot(progress.included.map(({ raw }) => raw))),
    receiptsRoot: toHex(indexedRoot(progress.receipts.map(encodeConsensusReceipt))),
    logsBloom: toHex(progress.bloom),
    gasUsed: progress.gasUsed,
    requestsHash,
  }
}
