import { type Ledger, operatorOf, taskOf } from '#protocol'
import type { OperatorId, Task } from '#records'
import type { CommittedBlock } from './application.ts'
import { endedTasks, type History } from './history.ts'
import type { Metrics } from './metrics.ts'

/** Counts what a committed block did, from the ledgers before and after it. */
export function recordCommit(
  metrics: Metrics,
  operator: OperatorId,
  committed: CommittedBlock,
  history: History,
): void {
  const { block, before, after, executionMs } = committed
  metrics.consensusHeight.set(block.height)
  metrics.blockExecution.observe(executionMs / 1000)
  const parentMs = history.timeOf(block.height - 1)
  if (parentMs !== undefined)
    metrics.consensusBlockInterval.observe((block.timeMs - parentMs) / 1000)
  metrics.l1Block.set(after.chain.l1.block)
  metrics.l1WindowRemaining.set(windowRemainingMs(after, operator, block.timeMs) / 1000)
  recordTransactions(metrics, committed)
  if (before.tasks !== after.tasks || before.audits !== after.audits)
    recordTasks(metrics, operator, committed, history)
  if (before.checkpoints !== after.checkpoints) recordCheckpoints(metrics, committed)
  const missed = (ledger: Ledger) => operatorOf(ledger, operator)?.missedWindows ?? 0
  metrics.l1MissedWindows.inc(missed(after) - missed(before))
}

/** What is left of this operator's own window; 0 while none of its own is open. */
function windowRemainingMs({ chain }: Ledger, operator: OperatorId, nowMs: number): number {
  const place = chain.windows?.submitters.indexOf(operator) ?? -1
  if (!chain.windows || place < 0) return 0
  const { startS, windowS } = chain.windows
  const opensMs = (startS + place * windowS) * 1000
  const closesMs = opensMs + windowS * 1000
  return nowMs < opensMs ? 0 : Math.max(0, closesMs - nowMs)
}

function recordTransactions(metrics: Metrics, { transactions, results }: CommittedBlock): void {
  for (const [place, transaction] of transactions.entries()) {
    const result = results[place]
    const kind = transaction?.kind ?? 'undecodable'
    metrics.transactions.inc({ kind })
    if (result?.ok === false) metrics.refused.inc({ kind, reason: result.reason })
    if (transaction?.kind === 'task' && result?.ok)
      metrics.taskAccepted.inc({ service: transaction.request.service })
  }
}

function recordTasks(
  metrics: Metrics,
  operator: OperatorId,
  { block, before, after }: CommittedBlock,
  history: History,
): void {
  for (const task of after.tasks.values()) {
    const { service } = task.request
    const known = before.tasks.get(task.id)
    if (known === task) continue
    if (isDrawn(task, operator) && known?.attempt !== task.attempt)
      metrics.taskAssigned.inc({ service })
    if (task.status !== 'agreed' || known?.status === 'agreed') continue
    metrics.taskCompleted.inc({ service })
    const acceptedMs = history.timeOf(task.acceptedHeight)
    if (acceptedMs !== undefined)
      metrics.taskDuration.observe({ service }, (block.timeMs - acceptedMs) / 1000)
  }
  for (const { id } of before.audits.values()) {
    const task = after.audits.has(id) ? undefined : taskOf(after, id)
    if (!task || task.audit === 'none') continue
    metrics.taskAudited.inc({ service: task.request.service, outcome: task.audit })
  }
  for (const { status, reason, request } of endedTasks(before, after))
    if (status === 'expired') metrics.taskFailed.inc({ service: request.service, reason })
}

const isDrawn = ({ committee }: Task, id: OperatorId): boolean =>
  committee.some(({ operator }) => operator === id)

/** Only checkpoints above the last landed one change. */
function recordCheckpoints(metrics: Metrics, { before, after }: CommittedBlock): void {
  for (let index = before.chain.landed.index + 1; index <= after.chain.cutIndex; index++) {
    const entry = after.checkpoints.get(String(index))
    const known = before.checkpoints.get(String(index))
    if (!entry || entry === known) continue
    const { certifiedMs, cutMs, recorded } = entry
    if (certifiedMs > 0 && !known?.certifiedMs) {
      metrics.checkpointsCertified.inc()
      metrics.signingDuration.observe((certifiedMs - cutMs) / 1000)
    }
    if (!recorded || known?.recorded) continue
    if (recorded.window > 0) metrics.l1Fallback.inc()
    if (certifiedMs > 0)
      metrics.l1SubmissionDuration.observe(Math.max(0, recorded.timeS - certifiedMs / 1000))
  }
}
