// A real network on one machine while L1 and disks misbehave.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { createPublicClient, http } from 'viem'
import type { EmbeddedDevnet } from '#devnet'
import { isL1Frozen } from '#protocol'
import { clientOf, runUnderLoad, type Seen, sum } from '../support/devnet-run.ts'
import { within } from '../support/waiting.ts'

test('devnet: with L1 out of reach, clocks apart and one disk full, all comes to L1 in the end', () =>
  runUnderLoad(
    { rate: 5, chaos: 'l1-down=3600,clock-skew,disk-full', until: troubled() },
    async ({ devnet, summary, audit }) => {
      const taken = summary.transactions.sent - sum(summary.transactions.refused)
      assert(taken > 0)
      assert.deepEqual([summary.transactions.onL1, audit.transactions.onL1], [taken, taken])
      assert.deepEqual([summary.lost, summary.twice, audit.twice], [0, 0, []])
      const [outage, ...others] = summary.outages ?? []
      assert(outage && outage.blocks > 0 && outage.caughtUpBy !== undefined, 'L1 was out of reach')
      assert.deepEqual(others, [])
      assert(await hasFullDisk(devnet))
    },
  ))

/** The last operator's disk is full, and the others go on for a while without L1. */
function troubled(): (seen: Seen) => Promise<boolean> {
  let enough: number | undefined
  return async ({ devnet, chaos }) => {
    const { chain } = devnet.operators.get(1)?.application.ledger ?? assert.fail()
    if (chaos.some((line) => line.includes('no operator reaches L1')))
      enough ??= chain.cutIndex + checkpointsAlone
    return enough !== undefined && chain.cutIndex >= enough && (await hasFullDisk(devnet))
  }
}

const checkpointsAlone = 4

async function hasFullDisk(devnet: EmbeddedDevnet): Promise<boolean> {
  const answer = await fetch(`${devnet.operators.get(4)?.url}/readyz`)
  return isDeepStrictEqual(await answer.json(), { ready: false, reason: 'DiskFull' })
}

test('devnet: a reorganisation takes nothing away; a deeper one brings what L1 drives to rest', () =>
  runUnderLoad(
    {
      rate: 5,
      chaos: 'reorg',
      until: ({ chaos }) => chaos.some((line) => line.endsWith('are gone')),
    },
    async ({ devnet, summary, audit }) => {
      const { transactions } = summary
      const taken = transactions.sent - sum(transactions.refused)
      assert.deepEqual([transactions.onL1, audit.transactions.onL1], [taken, taken])
      assert.deepEqual([summary.lost, summary.twice, audit.twice], [0, 0, []])
      const client = createPublicClient({ transport: http(devnet.l1.url) })
      const { l1 } = await (await clientOf(devnet, 1)).nodeop_status()
      assert(l1.events > 0 && l1.reason === undefined)
      const address = devnet.genesis.outbox
      const logs = await client.getLogs({ address, toBlock: BigInt(l1.block), fromBlock: 1n })
      const { blockNumber } = logs[logs.length >> 1] ?? assert.fail('L1 has recorded nothing')
      const head = await client.getBlockNumber()
      const depth = Number(head - blockNumber) + 1
      await client.request({ method: 'anvil_reorg', params: [depth, []] } as never)
      await within('rest', frozen(devnet))
      for (const id of devnet.operators.keys()) {
        const status = await (await clientOf(devnet, id)).nodeop_status()
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
