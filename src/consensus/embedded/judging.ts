import type { Proposal, Validity } from '../core/index.ts'
import { type Block, maxBlockBytes, sizeOf, toProposed, validatorsHash } from './block.ts'
import { isGoodCommit } from './checks.ts'
import { isGoodEvidence } from './evidence.ts'
import { maxAheadMs } from './proposing.ts'
import { type Runtime, workingHeight } from './runtime.ts'

/** Whether a proposed block may be voted for: the chain's rules, then the application's. */
export async function judge(runtime: Runtime, proposal: Proposal): Promise<Validity> {
  const sealed = runtime.blocks.get(proposal.value)
  if (!sealed) return 'invalid'
  const { block } = sealed
  const fault = (await faultOf(runtime, block)) ?? originFault(block, proposal)
  const reason = fault ?? (await applicationFault(runtime, block))
  if (reason !== undefined) {
    const { height, round } = proposal
    runtime.options.logger.warn('proposal is invalid', { height, round, reason })
    return 'invalid'
  }
  const aheadMs = block.header.timeMs - runtime.options.clock.nowMs()
  return aheadMs > maxAheadMs ? 'untimely' : 'valid'
}

/** What is wrong with a block as the successor of the tip; the same on every validator. */
export async function faultOf(runtime: Runtime, block: Block): Promise<BlockFault | undefined> {
  const { tip } = runtime
  const { header, lastCommit, transactions, misbehaviour } = block
  if (header.height !== workingHeight(runtime)) return 'WrongHeight'
  if (header.parent !== tip.hash) return 'WrongParent'
  if (header.appHash !== tip.appHash) return 'WrongAppHash'
  if (header.timeMs <= tip.timeMs) return 'TimeNotAboveParent'
  const { current } = tip.schedule
  if (header.validatorsHash !== validatorsHash(current)) return 'WrongValidators'
  if (!current.positions.has(header.proposer)) return 'UnknownProposer'
  if (sizeOf(transactions) > maxBlockBytes) return 'BlockTooLarge'
  if (!isGoodLastCommit(runtime, lastCommit)) return 'BadCommit'
  if (!(await isGoodEvidence(runtime, misbehaviour))) return 'BadEvidence'
  return undefined
}

/** Why a block cannot follow the tip. */
export type BlockFault =
  | 'WrongHeight'
  | 'WrongParent'
  | 'WrongAppHash'
  | 'TimeNotAboveParent'
  | 'WrongValidators'
  | 'UnknownProposer'
  | 'WrongProposer'
  | 'BlockTooLarge'
  | 'BadCommit'
  | 'BadEvidence'

/** A fresh value names whoever proposes it; a value with a polka was checked when it was fresh. */
const originFault = (
  { header }: Block,
  { validRound, proposer }: Proposal,
): BlockFault | undefined =>
  validRound === -1 && header.proposer !== proposer ? 'WrongProposer' : undefined

async function applicationFault(runtime: Runtime, block: Block): Promise<string | undefined> {
  const { application, logger } = runtime.options
  try {
    const verdict = await application.processProposal(toProposed(block))
    return verdict.ok ? undefined : verdict.reason
  } catch (error) {
    // A proposer that finds a defect must not stop every validator with it.
    logger.error('application failed to judge a proposal', { error })
    return 'ApplicationFailed'
  }
}

function isGoodLastCommit(runtime: Runtime, lastCommit: Block['lastCommit']): boolean {
  const { height, hash, validators } = runtime.tip
  if (height === 0 || !validators) return lastCommit === undefined
  const checking = { networkId: runtime.options.networkId, verify: runtime.verify }
  return lastCommit !== undefined && isGoodCommit(checking, validators, lastCommit, height, hash)
}
