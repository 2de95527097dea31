import type { ConsensusLog, SignGuard } from '#consensus'
import type { Guard } from './guard.ts'

/**
 * The guard as consensus asks it. What led to a vote is durable in the log before the vote is
 * recorded: replaying it leads to the same vote, so that a crash in between leaves no slot that
 * this validator can never fill again. Were it otherwise, a crash of all validators at once could
 * leave a round without a quorum for ever.
 */
export const consensusGuard = (
  { votes }: Pick<Guard, 'votes'>,
  log: Pick<ConsensusLog, 'sync'>,
): SignGuard => ({
  async admit({ height, round, step }, digest) {
    await log.sync()
    return (await votes.admit({ height, round, step }, digest)).ok
  },
  restore: ({ height, round, step }, digest) => votes.restore({ height, round, step }, digest),
})
