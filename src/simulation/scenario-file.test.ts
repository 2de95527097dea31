import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readScenario } from '#simulation'

const good = {
  operators: [{ name: 'ada' }, { name: 'op', count: 2 }],
  services: [{ name: 'price' }],
}
const read = (changes: object) => readScenario({ ...good, ...changes }, 'net.json')
const operator = (changes: object) => ({ operators: [{ name: 'ada', ...changes }] })
const event = (changes: object) => ({ events: [{ epoch: 1, operators: ['ada'], ...changes }] })

test('scenario: what is left out has its usual value', () => {
  const { name, epochs, operators, services } = readScenario(good, 'some/folder/net.json')
  assert.deepEqual([name, epochs], ['net.json', 40])
  assert.deepEqual(
    operators.map((one) => [one.name, one.speedMs]),
    [
      ['ada', 300],
      ['op-1', 300],
      ['op-2', 300],
    ],
  )
  assert.deepEqual([services[0]?.rule, services[0]?.committee], ['median', 4])
})

test('scenario: an event means an operator, or all that a count has made of it', () => {
  const { events } = read({ events: [{ epoch: 2, operators: ['op', 'ada'], does: 'stop' }] })
  assert.deepEqual(events, [
    { kind: 'operators', epoch: 2, operators: [1, 2, 0], does: 'stop', changes: {} },
  ])
})

const bad: readonly (readonly [unknown, RegExp])[] = [
  [[], /^net\.json: the file: must be an object$/],
  [{ ...good, speed: 1 }, /^net\.json: speed: is not known; allowed: name, epochs, /],
  [{ ...good, operators: [] }, /operators: must be a list with at least one entry$/],
  [{ ...good, services: [] }, /services: must be a list with at least one entry$/],
  [{ ...good, services: 'price' }, /services: must be a list/],
  [{ ...good, epochs: 0 }, /epochs: must be a whole number from 1 to 10000, is 0$/],
  [{ ...good, epochs: 2.5 }, /epochs: must be a whole number/],
  [{ ...good, ...operator({ speedMs: Number.NaN }) }, /operators\[0\]\.speedMs: must be a finite/],
  [{ ...good, ...operator({ cost: Infinity }) }, /operators\[0\]\.cost: must be a finite number/],
  [{ ...good, ...operator({ capacity: -1 }) }, /operators\[0\]\.capacity: must be a whole number/],
  [{ ...good, ...operator({ lie: 1.1 }) }, /operators\[0\]\.lie: must be a number from 0 to 1, is/],
  [{ ...good, ...operator({ failure: '1' }) }, /failure: must be a finite number, is "1"$/],
  [{ ...good, ...operator({ name: 'Ada' }) }, /operators\[0\]\.name: must be of a-z/],
  [{ ...good, ...operator({ group: 'A b' }) }, /operators\[0\]\.group: must be of a-z/],
  [{ ...good, ...operator({ capabilities: ['fpga'] }) }, /"fpga" is none of gpu, tee/],
  [{ ...good, ...operator({ joins: 3 }) }, /at least one must be there from the beginning$/],
  [{ ...good, ...operator({ count: 201 }) }, /count: must be a whole number from 1 to 200/],
  [{ ...good, operators: [{ name: 'ada' }, { name: 'ada' }] }, /operators: "ada" stands twice$/],
  [{ ...good, services: [{ name: 'price', rule: 'best' }] }, /services\[0\]\.rule: must be one of/],
  [{ ...good, services: [{ name: 'price', demand: 1e9 }] }, /demand: must be a number from 0 to/],
  [{ ...good, parameters: { epochMs: 5 } }, /parameters\.epochMs: stands in the file itself$/],
  [{ ...good, parameters: { speed: 5 } }, /parameters\.speed: is no governed parameter$/],
  [{ ...good, parameters: { probePpm: -1 } }, /probePpm: must be a whole number from 0 to 1000000/],
  [{ ...good, parameters: 7 }, /parameters: must be an object$/],
  [{ ...good, ...event({}) }, /events\[0\]\.does: "change" needs one of capacity/],
  [{ ...good, ...event({ does: 'sleep' }) }, /events\[0\]\.does: must be one of change, join/],
  [
    { ...good, ...event({ operators: ['eve'], lie: 1 }) },
    /events\[0\]\.operators: there is no "eve"/,
  ],
  [{ ...good, ...event({ operators: 'ada' }) }, /events\[0\]\.operators: must be a list of texts/],
  [{ ...good, ...event({ operators: [] }) }, /events\[0\]\.operators: must name an operator$/],
  [{ ...good, ...event({ epoch: 99 }) }, /events\[0\]\.epoch: must be a whole number from 1 to 40/],
  [{ ...good, events: [{ epoch: 1, service: 'gold', demand: 1 }] }, /service: there is no "gold"$/],
  [{ ...good, events: [{ epoch: 1, service: 'price' }] }, /events\[0\]\.demand: must be a finite/],
  [
    { ...good, events: [{ epoch: 3, operators: ['ada', 'op'], does: 'leave' }] },
    /events: nobody is left in epoch 3$/,
  ],
]

test('scenario: what cannot be is one error that names the place and the rule', () => {
  for (const [value, words] of bad)
    assert.throws(() => readScenario(value, 'net.json'), { code: 'BadScenario', message: words })
})
