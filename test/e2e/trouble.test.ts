// A real network on one machine while L1 and disks misbehave.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPublicClient, http } from 'viem'
import type { EmbeddedDevnet } from '#devnet'
import { isL1Frozen } from '#protocol'
import { clientOf, runUnderLoad, sum } from '../support/devnet-run.ts'

test('devnet: with L1 out of reach, clocks apart and one disk full, all comes to L1 in the end', () =>
  runUnderLoad(
    { rate: 5, seconds: 12, settleMs: 90_000, chaos: 'l1-down,clock-skew,disk-full' },
    async ({ devnet, summary, audit }) => {
      const taken = summary.transactions.sent - sum(summary.transactions.refused)
      assert(taken > 0)
      assert.deepEqual([summary.transactions.onL1, audit.transactions.onL1], [taken, taken])
      assert.deepEqual([summary.lost, summary.twice, audit.twice], [0, 0, []])
      const [outage, ...others] = summary.outages ?? []
      assert(outage && outage.blocks > 0 && outage.caughtUpBy !== undefined, 'L1 was out of reach')
      assert.deepEqual(others, [])
      const answer = await fetch(`${devnet.operators.get(4)?.url}/readyz`)
      assert.deepEqual(await answer.json(), { ready: false, reason: 'DiskFull' })
    },
  ))

test('devnet: a reorganisation takes nothing away; a deeper one brings what L1 drives to rest', () =>
  runUnderLoad(
    { rate: 5, seconds: 13, settleMs: 90_000, chaos: 'reorg' },
    async ({ devnet, summary, audit }) => {
      const { transactions } = summary
      const taken = transactions.sent - sum(transactions.refused)
      assert.deepEqual([transactions.onL1, audit.transactions.onL1], [taken, taken])
      assert.deepEqual([summary.lost, summary.twice, audit.twice], [0, 0, []])
      const client = createPublicClient({ transport: http(devnet.l1.url) })
      const { l1 } = await clientOf(devnet, 1).nodeop_status()
      assert(l1.events > 0 && l1.reason === undefined)
      const head = Number(await client.getBlockNumber())
      await client.request({ method: 'anvil_reorg', params: [head - l1.block + 2, []] } as never)
      await frozen(devnet)
      for (const id of devnet.operators.keys()) {
        const status = await clientOf(devnet, id).nodeop_status()
        assert.deepEqual([status.ready, status.l1.reason], [true, 'L1Frozen'])
        const metrics = await fetch(`${devnet.operators.get(id)?.url}/metrics`)
        assert.match(await metrics.text(), /nodeop_l1_frozen\{.*\} 1/)
      }
    },
  ))

/** Resolves once every operator's ledger holds that L1 is contradicted. */
const frozen = (devnet: EmbeddedDevnet): Promise<unknown> =>
  Promise.all(
    [...devnet.operators.values()].map(
      ({ application }) =>
        new Promise<void>((resolve) => {
          if (isL1Frozen(application.ledger)) return resolve()
          application.onCommitted(({ after }) => {
            if (isL1Frozen(after)) resolve()
          })
        }),
    ),
  )
