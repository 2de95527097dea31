import type { Timestamp } from '@bufbuild/protobuf/wkt'
import { DomainError, type Hex, toHex } from '#primitives'
import type { Misbehaviour, ProposedBlock } from '#records'
import type {
  Misbehavior,
  RequestFinalizeBlock,
  RequestProcessProposal,
} from './messages/abci_pb.ts'
import type { KeyFinder } from './validators.ts'

/**
 * A block of CometBFT's as ours: addresses become the consensus keys that the application knows.
 * Misbehaviour of somebody whom it does not know any more is left out, alike on every operator.
 *
 * @param keys - of everyone who has, had or will have a vote, by committed state alone.
 * @throws UnknownAddressError
 */
export function toProposed(
  request: RequestProcessProposal | RequestFinalizeBlock,
  finder: KeyFinder,
  keys: readonly Hex[],
): ProposedBlock {
  const { height, time, txs, misbehavior, proposerAddress } = request
  const proposer = finder.find(toHex(proposerAddress), keys)
  if (proposer === undefined) {
    const [address, known] = [toHex(proposerAddress), keys.length]
    throw new UnknownAddressError(
      `block ${height} is proposed by ${address}: of the ${known} consensus keys that the ledger ` +
        'knows, none has this address',
      { address, known },
    )
  }
  return {
    height: Number(height),
    timeMs: toMs(time),
    proposer,
    transactions: txs,
    misbehaviour: misbehavior.flatMap((one) => toMisbehaviour(one, finder, keys)),
  }
}

function toMisbehaviour(
  { validator, height }: Misbehavior,
  finder: KeyFinder,
  keys: readonly Hex[],
): readonly Misbehaviour[] {
  const consensusKey = validator && finder.find(toHex(validator.address), keys)
  return consensusKey === undefined ? [] : [{ consensusKey, height: Number(height) }]
}

/** Rounded down: block times differ by at least a millisecond, so they stay in order. */
export const toMs = (time: Timestamp | undefined): number =>
  time ? Number(time.seconds) * 1000 + Math.floor(time.nanos / 1_000_000) : 0

/** CometBFT names a validator that the ledger has never had. */
export class UnknownAddressError extends DomainError<
  'UnknownProposer',
  { readonly address: Hex; readonly known: number }
> {
  override readonly code = 'UnknownProposer'
}
