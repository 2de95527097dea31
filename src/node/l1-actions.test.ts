import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createL1Account, createL1Client, signerFromKey } from '#ethereum'
import { type Logger, toHex } from '#primitives'
import { serveJsonRpc } from '../../test/support/json-rpc-server.ts'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import { agreeOnTask, certify, publishNonces, slowCuts } from '../../test/support/ledger-script.ts'
import { ManualClock, silentLogger } from '../../test/support/manual-clock.ts'
import { l1Actions } from './l1-actions.ts'

test('l1 actions: a refusal is told when it is news; that L1 is out of reach, others say', async (t) => {
  const network = new LedgerNetwork(4, { parameters: slowCuts })
  network.block(publishNonces(network, 16))
  agreeOnTask(network)
  const entry = certify(network)
  const clock = new ManualClock()
  const warnings: unknown[] = []
  const logger: Logger = { ...silentLogger, warn: (...said) => warnings.push(said) }
  const l1 = await serveJsonRpc(t, {}) // knows no method, so it refuses everything
  const client = createL1Client(l1.url)
  const signer = signerFromKey(toHex(new Uint8Array(32).fill(1)))
  const account = createL1Account({ client, signer, chainId: 31_337, clock, logger })
  const { outbox } = network.genesis
  const submitted: string[] = []
  const actions = l1Actions({ client, account, outbox, clock, logger }, 1, {
    submitted: (outcome) => submitted.push(outcome),
    delivered: () => {},
  })
  for (const status of [200, 200, 503, 503, 200]) {
    l1.status = status
    assert.equal(await actions.submit(entry), 'failed')
  }
  account.stop()
  assert.deepEqual(submitted, Array(5).fill('refused'))
  const line = ['submission refused', { index: entry.checkpoint.index, reason: 'L1Rejected' }]
  assert.deepEqual(warnings, [line, line])
})
