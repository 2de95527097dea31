import { concatBytes, fromHex, type Hex, sha256Hex, uint64Bytes } from '#primitives'
import type { DecidedBlock, Transaction } from '#records'
import type { Environment } from '../environment.ts'
import { type Ledger, operatorsOf, withChain } from '../ledger.ts'
import { accept, type Outcome, refuse } from '../outcome.ts'

/** What a proposer proves its randomness over: network id ‖ height. */
export const randomnessAlpha = (network: Hex, height: number): Uint8Array =>
  concatBytes(fromHex(network), uint64Bytes(height))

/** Takes the proposer's RFC 9381 proof: mix' = SHA-256(mix ‖ beta). */
export function randomness(
  ledger: Ledger,
  transaction: Transaction & { kind: 'randomness' },
  block: Pick<DecidedBlock, 'height' | 'proposer'>,
  environment: Environment,
): Outcome {
  const proposer = operatorsOf(ledger).find(({ consensusKey }) => consensusKey === block.proposer)
  if (!proposer) return refuse('UnknownOperator')
  const alpha = randomnessAlpha(ledger.constants.network, block.height)
  const proof = fromHex(transaction.proof)
  const beta = environment.verifyRandomness(proposer.vrfKey, alpha, proof)
  if (!beta) return refuse('BadRandomness')
  return accept(withChain(ledger, { mix: sha256Hex(fromHex(ledger.chain.mix), beta) }))
}
