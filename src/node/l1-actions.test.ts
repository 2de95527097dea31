import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createL1Account, createL1Client, signerFromKey } from '#ethereum'
import { type Logger, toHex } from '#primitives'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import { agreeOnTask, certify, publishNonces, slowCuts } from '../../test/support/ledger-script.ts'
import { ManualClock, silentLogger } from '../../test/support/manual-clock.ts'
import { l1Actions } from './l1-actions.ts'

/** Nobody listens there: the port is reserved. */
const nowhere = 'http://127.0.0.1:1'

test('l1 actions: while L1 cannot be reached every try fails, and the log says so once', async () => {
  const network = new LedgerNetwork(4, { parameters: slowCuts })
  network.block(publishNonces(network, 16))
  agreeOnTask(network)
  const entry = certify(network)
  const clock = new ManualClock()
  const warnings: unknown[] = []
  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields) => warnings.push([message, fields]),
  }
  const client = createL1Client(nowhere)
  const signer = signerFromKey(toHex(new Uint8Array(32).fill(1)))
  const account = createL1Account({ client, signer, chainId: 31_337, clock, logger })
  const { outbox } = network.genesis
  const submitted: string[] = []
  const actions = l1Actions({ client, account, outbox, clock, logger }, 1, {
    submitted: (outcome) => submitted.push(outcome),
    delivered: () => {},
  })
  for (let i = 0; i < 3; i++) assert.equal(await actions.submit(entry), 'failed')
  account.stop()
  assert.deepEqual(submitted, ['refused', 'refused', 'refused'])
  const { index } = entry.checkpoint
  assert.deepEqual(warnings, [['submission refused', { index, reason: 'L1Unreachable' }]])
})
