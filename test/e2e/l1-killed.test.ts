// A devnet on a folder whose L1 is killed just when the operators have agreed on its newest events.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type EmbeddedDevnet, parseDevnetOptions, sendFirstTransfer, startDevnet } from '#devnet'
import { isL1Frozen, parameter } from '#protocol'

test('devnet: after its L1 was killed, a network on a folder goes on, and comes to L1 again', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'nodeop-l1-killed-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  const options = parseDevnetOptions({ data, port: '0', logLevel: 'silent' }, '.')
  const killed = await startDevnet(options, () => {})
  t.after(() => killed.stop())
  await landed(killed, () => process.kill(killed.l1.pid, 'SIGKILL'))
  await assert.rejects(killed.l1Lost, { code: 'AnvilDied' })
  await killed.stop()
  writeFileSync(join(data, 'l1/anvil.json'), '') // as when it was killed while it wrote
  const devnet = await startDevnet(options, () => {})
  t.after(() => devnet.stop())
  const ledger = devnet.operators.get(1)?.application.ledger ?? assert.fail()
  assert.equal(parameter(ledger, 'l1DepthBlocks'), 4, 'deeper than what L1 has just forgotten')
  await landed(devnet)
})

/** Sends a transfer, and waits until the network agrees that its checkpoint stands on L1. */
async function landed(devnet: EmbeddedDevnet, onLanded = () => {}): Promise<void> {
  const application = devnet.operators.get(1)?.application
  const [gateway] = devnet.gateways()
  assert(application && gateway)
  const { index } = application.ledger.chain.landed
  const agreed = new Promise<void>((resolve, reject) => {
    application.onCommitted(({ before, after }) => {
      if (isL1Frozen(after)) reject(new Error('operators see another L1 than they agreed on'))
      if (before.chain.landed.index > index || after.chain.landed.index === index) return
      onLanded()
      resolve()
    })
  })
  await Promise.all([agreed, sendFirstTransfer(gateway)])
}
