// A real network on one machine, from real clients' requests to L1: what its summary says happened
// is recounted by an auditor that knows only the two endpoints.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPublicClient, http, parseAbi } from 'viem'
import type { EmbeddedDevnet } from '#devnet'
import { bytesToBigint, fromHex, type Hex } from '#primitives'
import { clientOf, type Run, runUnderLoad, type Seen, sum } from '../support/devnet-run.ts'
import { reached } from '../support/waiting.ts'

/** Sent − refused = confirmed = certified = on L1, by the summary and by the auditor alike. */
function assertComplete({ summary, audit }: Run): void {
  const { transactions, tasks, checkpoints } = summary
  const taken = transactions.sent - sum(transactions.refused)
  assert(taken > 0)
  assert.deepEqual(
    [transactions.confirmed, transactions.certified, transactions.onL1],
    [taken, taken, taken],
  )
  assert.deepEqual(
    { ...audit.transactions, sent: taken },
    {
      sent: taken,
      confirmed: taken,
      certified: taken,
      onL1: taken,
    },
  )
  const ended = tasks.sent - sum(tasks.refused) - tasks.expired
  assert.deepEqual([tasks.agreed, tasks.onL1, tasks.settled], [ended, ended, ended])
  assert.deepEqual(
    [audit.tasks.onL1, audit.tasks.settled, audit.tasks.expired],
    [ended, ended, tasks.expired],
  )
  assert.deepEqual([summary.lost, summary.twice], [0, 0])
  assert.deepEqual([audit.twice, audit.problems], [[], []])
  assert.deepEqual(audit.checkpoints, {
    onL1: checkpoints.onL1,
    byFallback: checkpoints.byFallback,
  })
}

/** Many transactions were sent, and some tasks are settled. */
function hasServed({ devnet, sent }: Seen): boolean {
  const { endedTasks } = devnet.operators.get(1)?.application.ledger ?? assert.fail()
  const settled = [...endedTasks.values()].filter(({ status }) => status === 'settled')
  return sent.transactions.size >= 30 && settled.length >= 2
}

test('devnet: everything that was accepted is on L1 once, as the auditor finds too', () =>
  runUnderLoad({ rate: 5, until: hasServed }, async (run) => {
    assertComplete(run)
    const { summary } = run
    assert(summary.tasks.sent > 0)
    assert.equal(sum(summary.transactions.refused) + sum(summary.tasks.refused), 0)
    assert(summary.tasks.settled > 0 && summary.gasPerSubmission.p50 > 0)
    assert(summary.latencyMs.confirmed.p50 <= summary.latencyMs.certified.p50)
    assert(summary.latencyMs.certified.p50 <= summary.latencyMs.onL1.p50)
  }))

test('devnet: what idle owners owe lands by fallback, and an operator that was away catches up', () =>
  runUnderLoad({ rate: 5, chaos: 'submitter,operator', until: hasFallenBack }, async (run) => {
    assertComplete(run)
    const { checkpoints } = run.summary
    assert(checkpoints.byFallback > 0 && checkpoints.missedWindows > 0)
    const steady = await clientOf(run.devnet, 1)
    const operators = await steady.nodeop_operators()
    assert(operators.some(({ missedWindows }) => missedWindows > 0))
    const credits = await creditsOf(
      run.devnet,
      operators.map(({ l1Account }) => l1Account),
    )
    assert(credits.some((credit) => credit > 0n))
    const { ledger } = await steady.nodeop_status()
    await reached(run.devnet.operators.get(4) ?? assert.fail(), ledger.height)
  }))

/** An operator was away, and another has missed its window. */
function hasFallenBack({ devnet, chaos }: Seen): boolean {
  const { operators } = devnet.operators.get(1)?.application.ledger ?? assert.fail()
  const isBack = chaos.some((line) => line.endsWith('operator 4 is up again'))
  return isBack && [...operators.values()].some(({ missedWindows }) => missedWindows > 0)
}

/** What each account may claim from the Outbox. */
async function creditsOf(
  devnet: EmbeddedDevnet,
  accounts: readonly Hex[],
): Promise<readonly bigint[]> {
  const client = createPublicClient({ transport: http(devnet.l1.url) })
  const abi = parseAbi(['function creditOf(address account) view returns (uint256)'])
  const address = devnet.genesis.outbox
  return Promise.all(
    accounts.map((account) =>
      client.readContract({ address, abi, functionName: 'creditOf', args: [account] }),
    ),
  )
}

test('devnet: a liar and a copier earn nothing, and the median stays among the honest', () =>
  runUnderLoad({ operators: 7, rate: 5, chaos: 'liar,copier', until: hasServed }, async (run) => {
    assertComplete(run)
    const client = await clientOf(run.devnet, 1)
    const [liar, copier] = [7, 6]
    for (const { id, scores } of await client.nodeop_operators())
      if (id === liar || id === copier) assert.equal(scores?.[0]?.earned, '0')
    const tasks = (await client.nodeop_tasks(100)).filter(({ status }) => status === 'settled')
    assert(tasks.length > 0)
    for (const { result, committee } of tasks) {
      const honest = committee
        .filter(({ operator }) => operator !== liar && operator !== copier)
        .flatMap((member) => (member.result ? [priceOf(member.result)] : []))
        .sort((a, b) => (a < b ? -1 : 1))
      const agreed = result ? priceOf(result) : 0n
      assert(agreed >= (honest[0] ?? 0n) && agreed <= (honest.at(-1) ?? 0n))
    }
  }))

const priceOf = (result: Hex): bigint => bytesToBigint(fromHex(result))
