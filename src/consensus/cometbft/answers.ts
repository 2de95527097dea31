import { assert, fromHex, toHex } from '#primitives'
import type { Application, ExecutedBlock, TransactionResult, Verdict } from '#records'
import type { ConsensusDecision } from '../engine/index.ts'
import { toMs, toProposed, UnknownAddressError } from './block.ts'
import { type Chain, checkGenesis } from './chain.ts'
import { lengthSize } from './frames.ts'
import {
  type CommitInfo,
  type RequestFinalizeBlock,
  type RequestInitChain,
  type RequestPrepareProposal,
  type RequestProcessProposal,
  ResponseProcessProposal_ProposalStatus as Status,
} from './messages/abci_pb.ts'
import { BlockIDFlag } from './messages/block-id-flag_pb.ts'
import type { Answer } from './messages.ts'
import { KeyFinder, toUpdate } from './validators.ts'

/** The code of whatever is refused; which refusal it is stands in `log`. */
export const refusedCode = 1

/** Under whose rules our codes are. */
const codespace = 'nodeop'

/** An application's answers to CometBFT's questions. The order of calls is the caller's duty. */
export class Answers {
  readonly #application: Application
  readonly #chain: Chain
  readonly #finder = new KeyFinder()
  #finalized: ConsensusDecision | undefined

  constructor(application: Application, chain: Chain) {
    this.#application = application
    this.#chain = chain
  }

  async info(): Promise<Answer> {
    const { height, appHash } = await this.#application.info()
    return {
      case: 'info',
      value: {
        data: 'nodeop',
        appVersion: BigInt(this.#chain.appVersion),
        lastBlockHeight: BigInt(height),
        // Before the first block CometBFT takes it from initChain.
        lastBlockAppHash: height === 0 ? new Uint8Array() : fromHex(appHash),
      },
    }
  }

  async initChain(request: RequestInitChain): Promise<Answer> {
    const { appHash, validators } = await this.#application.initChain()
    checkGenesis(request, this.#chain, validators)
    return {
      case: 'initChain',
      value: { validators: validators.map(toUpdate), appHash: fromHex(appHash) },
    }
  }

  async prepareProposal(request: RequestPrepareProposal): Promise<Answer> {
    const maxBytes = Number(request.maxTxBytes)
    const transactions = await this.#application.prepareProposal({
      height: Number(request.height),
      timeMs: toMs(request.time),
      maxBytes,
    })
    return { case: 'prepareProposal', value: { txs: fitting(transactions, maxBytes) } }
  }

  async processProposal(request: RequestProcessProposal): Promise<Verdict> {
    try {
      const block = toProposed(request, this.#finder, this.#application.consensusKeys())
      return await this.#application.processProposal(block)
    } catch (error) {
      if (!(error instanceof UnknownAddressError)) throw error
      return { ok: false, reason: error.code, detail: error.message }
    }
  }

  async finalizeBlock(request: RequestFinalizeBlock): Promise<Answer> {
    const keys = this.#application.consensusKeys()
    const hash = toHex(request.hash)
    const block = { ...toProposed(request, this.#finder, keys), hash }
    const executed = await this.#application.finalizeBlock(block)
    const { decidedLastCommit } = request
    const previous = decidedLastCommit ? previousOf(decidedLastCommit) : {}
    this.#finalized = { block, executed, round: undefined, ...previous }
    return { case: 'finalizeBlock', value: toResponse(executed) }
  }

  /** @returns the block that is committed now. */
  async commit(): Promise<ConsensusDecision> {
    const decision = this.#finalized
    assert(decision, 'commit follows finalizeBlock')
    this.#finalized = undefined
    await this.#application.commit()
    return decision
  }
}

/** What a block says of the commit of the one before. */
const previousOf = ({ round, votes }: CommitInfo) => ({
  previousRound: round,
  previousSigners: votes.flatMap(({ validator, blockIdFlag }) =>
    validator && blockIdFlag === BlockIDFlag.BLOCK_ID_FLAG_COMMIT ? [toHex(validator.address)] : [],
  ),
})

/** As many of the first as fit with their framing, which the application does not know of. */
function fitting(transactions: readonly Uint8Array[], maxBytes: number): Uint8Array[] {
  let room = maxBytes
  const left = transactions.findIndex(({ length }) => {
    room -= 1 + lengthSize(length) + length
    return room < 0
  })
  return transactions.slice(0, left < 0 ? undefined : left)
}

const toResponse = ({ appHash, results, validatorUpdates }: ExecutedBlock) => ({
  txResults: results.map(toResult),
  validatorUpdates: validatorUpdates.map(toUpdate),
  appHash: fromHex(appHash),
})

/** CometBFT hashes the code alone into the next header, so its text is free to change. */
export const toResult = (result: TransactionResult) =>
  result.ok ? {} : { code: refusedCode, codespace, log: result.reason, info: result.detail ?? '' }

/** What a validator says of a proposal. */
export const toStatus = ({ ok }: Verdict): Answer => ({
  case: 'processProposal',
  value: { status: ok ? Status.ACCEPT : Status.REJECT },
})
