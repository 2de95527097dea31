import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  BadProgrammeError,
  cheapestOrder,
  type PaymentNode,
  paymentMargin,
  paymentMetrics,
  paymentUtility,
  responseTo,
  sharePayments,
} from '#model'

const node: PaymentNode = {
  fee: 0.02,
  stages: [
    { name: 'validity', cost: 0.001, passRate: 0.9 },
    { name: 'identity', cost: 0.004, passRate: 0.8 },
    { name: 'authorisation', cost: 0.002, passRate: 0.95 },
    { name: 'funds', cost: 0.003, passRate: 1 },
  ],
  errorRate: 0.02,
  errorCost: 0.05,
  delayPenalty: 0.5,
  windowS: 0.2,
  serviceRate: 100,
  complexity: 1,
  capacity: 95,
}

test('paymentUtility: the parts add up, and a payment costs only the stages it reaches', () => {
  const { utility, revenue, validationCost, errorCost, delayPenalty } = paymentUtility(node, 10)
  assert(Math.abs(revenue - 10 * 0.02 * 0.98) < 1e-12)
  const each = 0.001 + 0.9 * 0.004 + 0.72 * 0.002 + 0.684 * 0.003
  assert(Math.abs(validationCost - 10 * each) < 1e-12)
  assert(Math.abs(errorCost - 10 * 0.02 * 0.05) < 1e-12)
  const late = (10 * 0.5 * Math.exp(-90 * 0.2)) / 90
  assert(Math.abs(delayPenalty - late) < 1e-15)
  assert.equal(utility, revenue - validationCost - errorCost - delayPenalty)
})

test('paymentUtility: is concave in load, and its margin is its derivative', () =>
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 90, noNaN: true }),
      fc.double({ min: 0.5, max: 3, noNaN: true }),
      (load, complexity) => {
        const one = { ...node, complexity }
        fc.pre(load + 0.1 < one.serviceRate / complexity)
        const u = (x: number) => paymentUtility(one, x).utility
        const step = 1e-3
        const numeric = (u(load + step) - u(load - step)) / (2 * step)
        const margin = paymentMargin(one, load)
        assert(Math.abs(numeric - margin) <= 1e-3 * Math.max(1, Math.abs(margin)))
        assert(paymentMargin(one, load + 0.05) <= margin + 1e-12)
      },
    ),
  ))

test('paymentUtility: at the service rate the queue never ends', () => {
  assert.equal(paymentUtility(node, 100).utility, -Infinity)
})

test('responseTo: the node stops where the next payment adds only the price', () => {
  const load = responseTo(node, 0)
  assert(load > 50 && load < 95)
  assert(Math.abs(paymentMargin(node, load)) < 1e-9)
  assert.equal(responseTo({ ...node, capacity: 20 }, 0), 20)
  assert.equal(responseTo(node, 1), 0)
})

test('sharePayments: serves demand where it can, at equal margins', () => {
  const nodes = [
    node,
    { ...node, serviceRate: 60 },
    { ...node, fee: 0.03 },
    { ...node, capacity: 5 },
  ]
  const { load, price, shortfall } = sharePayments(nodes, 150)
  assert.equal(shortfall, 0)
  assert(Math.abs(load.reduce((a, b) => a + b, 0) - 150) < 1e-9)
  assert(price > 0)
  load.forEach((x, i) => {
    const one = nodes[i] as PaymentNode
    if (x > 0 && x < one.capacity) assert(Math.abs(paymentMargin(one, x) - price) < 1e-6, `${i}`)
  })
  const best = (loads: readonly number[]) =>
    loads.reduce((sum, x, i) => sum + paymentUtility(nodes[i] as PaymentNode, x).utility, 0)
  const optimum = best([...load])
  const [a, b, c, d] = load as unknown as [number, number, number, number]
  for (const moved of [
    [a + 1, b - 1, c, d],
    [a - 1, b, c + 1, d],
    [a, b + 1, c - 1, d],
  ])
    assert(best(moved) < optimum)
})

test('sharePayments: beyond what nodes want, payments are left', () => {
  const { shortfall, price } = sharePayments([node, node], 1000)
  assert(shortfall > 800)
  assert.equal(price, 0)
})

test('cheapestOrder: no other order of stages costs less', () => {
  const costOf = (stages: PaymentNode['stages']) =>
    paymentUtility({ ...node, stages }, 1).validationCost
  const permutations = <T>(items: readonly T[]): T[][] =>
    items.length < 2
      ? [[...items]]
      : items.flatMap((item, k) =>
          permutations(items.toSpliced(k, 1)).map((rest) => [item, ...rest]),
        )
  const best = costOf(cheapestOrder(node.stages))
  for (const order of permutations(node.stages)) assert(best <= costOf(order) + 1e-15)
})

test('paymentMetrics: throughput, efficiency, errors, growth and penalties of a period', () => {
  const before = { payments: 100, errors: 4, validationCost: 1, revenue: 2, penalties: 0.5 }
  const now = { payments: 150, errors: 3, validationCost: 1.2, revenue: 3, penalties: 0.1 }
  const { throughput, efficiency, errorRate, revenueGrowth, penalties } = paymentMetrics(
    now,
    before,
  )
  assert.deepEqual([throughput, errorRate, revenueGrowth, penalties], [150, 0.02, 0.5, 0.1])
  assert(Math.abs(efficiency - 125) < 1e-9)
})

test('paymentUtility: numbers that cannot be are refused', () => {
  const refused = (change: Partial<PaymentNode>) =>
    assert.throws(() => paymentUtility({ ...node, ...change }, 1), BadProgrammeError)
  refused({ fee: -1 })
  refused({ errorRate: 2 })
  refused({ serviceRate: 0 })
  refused({ stages: [{ name: 'x', cost: Number.NaN, passRate: 1 }] })
  assert.throws(() => paymentUtility(node, Number.NaN), BadProgrammeError)
})
