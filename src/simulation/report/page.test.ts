import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proposeAllocation } from '#node'
import { readScenario, simulate, simulationReport } from '#simulation'

const reportOf = (name: string, operators: object[], seeds = 1) =>
  simulationReport(
    simulate(
      readScenario(
        {
          name,
          epochs: 2,
          epochMs: 2_000,
          parameters: { allocationLeadMs: 500 },
          operators,
          services: [{ name: 'price', demand: 4 }],
          events: [{ epoch: 2, service: 'price', demand: 2 }],
        },
        'test',
      ),
      seeds,
      proposeAllocation,
    ),
  )

test('report: one page that needs nothing else, and no number went wrong', () => {
  const page = reportOf('Try <this> & that', [{ name: 'ada' }, { name: 'op', count: 3 }], 2)
  assert.equal(page.match(/<svg/g)?.length, 12)
  assert.equal(page.match(/<svg/g)?.length, page.match(/<\/svg>/g)?.length)
  assert.doesNotMatch(page, /<script|<link|<img|src=|href=|url\(|@import/)
  assert.doesNotMatch(page, /NaN|Infinity|undefined/)
  assert.match(page, /<h1>Try &lt;this&gt; &amp; that<\/h1>/)
  assert.match(page, /<li>Epoch 2: 2 tasks of price an epoch\.<\/li>/)
  for (const name of ['ada', 'op-1', 'op-2', 'op-3']) assert.match(page, new RegExp(`>${name}<`))
})

test('report: of many operators eight have a colour, and the others are there in grey', () => {
  const page = reportOf('many', [{ name: 'op', count: 11 }])
  assert.match(page, />3 others</)
})

test('report: one operator alone is drawn too', () => {
  assert.doesNotMatch(reportOf('one', [{ name: 'ada' }]), /NaN|Infinity|undefined/)
})
