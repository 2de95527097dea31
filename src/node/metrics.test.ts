import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLabelBound, createMetrics } from './metrics.ts'

const make = () => createMetrics({ version: '1.2.3', engine: 'embedded', operator: 'ada' })

test('metrics: names of ours have our prefix, counters and durations end in their unit', async () => {
  const metrics = make()
  metrics.setReady(true)
  const text = await metrics.text()
  const types = [...text.matchAll(/^# TYPE (nodeop_\S+) (\S+)$/gm)]
  assert(types.length > 25)
  assert.match(text, /^process_cpu_seconds_total \d/m)
  for (const [, name = '', type] of types) {
    assert.match(name, /^[a-z0-9_]+$/)
    if (type === 'counter') assert.match(name, /_total$/)
    if (type === 'histogram') assert.match(name, /_seconds$/)
  }
})

test('metrics: registries of two operators do not mix', async () => {
  const [ada, bob] = [make(), make()]
  ada.consensusHeight.set(7)
  assert.match(await ada.text(), /nodeop_consensus_height\{operator="ada"\} 7/)
  assert.match(await bob.text(), /nodeop_consensus_height\{operator="ada"\} 0/)
  assert.match(await bob.text(), /nodeop_build_info\{.*version="1\.2\.3".*\} 1/)
})

test('metrics: ready is 1 under one reason at a time', async () => {
  const metrics = make()
  const lines = async () => [...(await metrics.text()).matchAll(/^nodeop_ready\{(.*)\} (\d)$/gm)]
  metrics.setReady(false, 'CatchingUp')
  assert.deepEqual(
    (await lines()).map(([, labels, value]) => [labels?.match(/reason="(\w+)"/)?.[1], value]),
    [['CatchingUp', '0']],
  )
  metrics.setReady(true)
  assert.deepEqual(
    (await lines()).map(([, labels, value]) => [labels?.match(/reason="(\w+)"/)?.[1], value]),
    [['ready', '1']],
  )
})

test('metrics: a call is counted by method and outcome', async () => {
  const metrics = make()
  metrics.rpc({ method: 'eth_call', outcome: 'ok', seconds: 0.002 })
  assert.match(
    await metrics.text(),
    /nodeop_rpc_requests_total\{method="eth_call",outcome="ok",operator="ada"\} 1/,
  )
})

test('createLabelBound: values beyond the limit become one', () => {
  const bound = createLabelBound(2)
  assert.deepEqual(['a', 'b', 'c', 'a', 'd'].map(bound), ['a', 'b', 'other', 'a', 'other'])
})
