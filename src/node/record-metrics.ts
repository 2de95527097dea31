import { operatorOf } from '#protocol'
import type { OperatorId, Task, Transaction } from '#records'
import type { CommittedBlock } from './application.ts'
import type { Metrics } from './metrics.ts'

/** Counts what a committed block did, from the ledgers before and after it. */
export function recordCommit(
  metrics: Metrics,
  operator: OperatorId,
  { block, transactions, results, before, after }: CommittedBlock,
): void {
  metrics.consensusHeight.set(block.height)
  metrics.l1Block.set(after.chain.l1.block)
  for (const [place, transaction] of transactions.entries()) {
    const result = results[place]
    const kind = transaction?.kind ?? 'undecodable'
    metrics.transactions.inc({ kind })
    if (result?.ok === false) metrics.refused.inc({ kind, reason: result.reason })
    if (transaction?.kind === 'task' && result?.ok) acceptTask(metrics, transaction)
  }
  if (before.tasks !== after.tasks) recordTasks(metrics, operator, before, after)
  if (before.checkpoints !== after.checkpoints) recordCheckpoints(metrics, before, after)
  const missed = (ledger: CommittedBlock['after']) =>
    operatorOf(ledger, operator)?.missedWindows ?? 0
  metrics.l1MissedWindows.inc(missed(after) - missed(before))
}

const acceptTask = (metrics: Metrics, { request }: Transaction & { kind: 'task' }): void =>
  metrics.taskAccepted.inc({ service: request.service })

function recordTasks(
  metrics: Metrics,
  operator: OperatorId,
  before: CommittedBlock['before'],
  after: CommittedBlock['after'],
): void {
  const isDrawn = (task: Task | undefined) =>
    task?.committee.some((member) => member.operator === operator) ?? false
  for (const task of after.tasks.values()) {
    const { service } = task.request
    const known = before.tasks.get(task.id)
    if (isDrawn(task) && known?.attempt !== task.attempt) metrics.taskAssigned.inc({ service })
    if (task.status === 'agreed' && known?.status !== 'agreed')
      metrics.taskCompleted.inc({ service })
  }
  for (const task of after.endedTasks.values())
    if (task.status === 'expired' && before.tasks.has(task.id))
      metrics.taskFailed.inc({ service: task.request.service, reason: task.reason })
}

function recordCheckpoints(
  metrics: Metrics,
  before: CommittedBlock['before'],
  after: CommittedBlock['after'],
): void {
  for (const { checkpoint, certifiedMs, cutMs, recorded } of after.checkpoints.values()) {
    const known = before.checkpoints.get(String(checkpoint.index))
    if (certifiedMs > 0 && !known?.certifiedMs) {
      metrics.checkpointsCertified.inc()
      metrics.signingDuration.observe((certifiedMs - cutMs) / 1000)
    }
    if (!recorded || known?.recorded) continue
    if (recorded.window > 0) metrics.l1Fallback.inc()
    metrics.l1SubmissionDuration.observe(Math.max(0, recorded.timeS - certifiedMs / 1000))
  }
}
