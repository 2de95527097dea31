import { createProgramme, type Programme, type ProgrammeParts } from '#model'
import { random as seeded } from '../test/support/random.ts'

/** Parts that may still be changed. */
export type Draft = {
  operators: number
  tasks: number
  utility: Float64Array
  congestion: Float64Array
  capacity: Float64Array
  demand: Float64Array
  cap: Float64Array
}

/**
 * The family that all figures are about: utility = value × trust × score − cost, capacities 1.25
 * times demand in total, no operator with more than a third of a task.
 */
export function baseDraft(operators: number, tasks: number, seed: number): Draft {
  const random = seeded(seed)
  const trust = new Float64Array(operators)
  const cost = new Float64Array(operators)
  const congestion = new Float64Array(operators)
  for (let i = 0; i < operators; i++) {
    trust[i] = 0.5 + 0.5 * random()
    cost[i] = 0.3 * random()
    congestion[i] = 0.02 + 0.08 * random()
  }
  const value = new Float64Array(tasks).map(() => 0.5 + random())
  const utility = new Float64Array(operators * tasks)
  for (let i = 0, e = 0; i < operators; i++)
    for (let t = 0; t < tasks; t++, e++)
      utility[e] = at(value, t) * (at(trust, i) * (0.5 + 0.5 * random())) - at(cost, i)
  const demand = new Float64Array(tasks).map(() => Math.round((5 + 10 * random()) * 1000) / 1000)
  const capacity = new Float64Array(operators).map(() => 0.5 + random())
  scaleTo(capacity, 1.25 * sum(demand))
  const cap = demand.map((d) => d / 3 + 1e-9)
  return { operators, tasks, utility, congestion, capacity, demand, cap }
}

/** Operators and tasks at which every hard family is solved. */
export const hardSizes = [
  [100, 100],
  [300, 300],
  [1000, 100],
] as const

/** Ways in which an instance can be hard; each changes a base draft. */
export const families = {
  base: () => {},
  'slack 2 %': (draft: Draft) => scaleTo(draft.capacity, 1.02 * sum(draft.demand)),
  'Pareto capacities': (draft: Draft, seed: number) => {
    const random = seeded(seed + 1_000_003)
    // Cut so that no operator holds more than other limits let it use.
    draft.capacity = draft.capacity.map(() => Math.min((1 - random()) ** (-1 / 1.3), 20))
    scaleTo(draft.capacity, 1.25 * sum(draft.demand))
  },
  'near-linear': (draft: Draft) => {
    draft.congestion = draft.congestion.map((q) => q / 100)
  },
  'identical utilities': (draft: Draft) => {
    for (let i = 1; i < draft.operators; i++)
      draft.utility.copyWithin(i * draft.tasks, 0, draft.tasks)
  },
  'identical operators': (draft: Draft) => {
    families['identical utilities'](draft)
    draft.congestion.fill(at(draft.congestion, 0))
    draft.capacity.fill((1.25 * sum(draft.demand)) / draft.operators)
  },
  'some demand zero': (draft: Draft, seed: number) => {
    const random = seeded(seed + 7)
    draft.demand = draft.demand.map((d) => (random() < 0.3 ? 0 : d))
    draft.cap = draft.demand.map((d) => d / 3)
  },
  'zero demand': (draft: Draft) => {
    draft.demand.fill(0)
  },
  huge: (draft: Draft) => rescale(draft, 1e12, 1e9),
  tiny: (draft: Draft) => rescale(draft, 1e-12, 1e-9),
  'huge work, tiny money': (draft: Draft) => rescale(draft, 1e12, 1e-9),
  'operators that differ by 10^6': (draft: Draft, seed: number) => {
    const random = seeded(seed + 11)
    draft.capacity = draft.capacity.map((room) => room * 10 ** (6 * (random() - 0.5)))
    draft.cap = draft.demand.slice()
    scaleTo(draft.capacity, 1.25 * sum(draft.demand))
  },
} satisfies Record<string, (draft: Draft, seed: number) => void>

/** Name of a family. */
export type Family = keyof typeof families

/** An instance of a family. */
export function instance(family: Family, operators: number, tasks: number, seed: number): Draft {
  const draft = baseDraft(operators, tasks, seed)
  families[family](draft, seed)
  return draft
}

/** Demand 1.25 times what the operators can do. */
export function infeasible(operators: number, tasks: number, seed: number): Draft {
  const draft = baseDraft(operators, tasks, seed)
  scaleTo(draft.capacity, 0.8 * sum(draft.demand))
  return draft
}

/** One operator that can do it all. */
export function single(tasks: number, seed: number): Draft {
  const draft = baseDraft(1, tasks, seed)
  draft.cap = draft.demand.slice()
  return draft
}

/** A programme with one resource and no shortfall price. */
export const toProgramme = (draft: Draft, more: Partial<ProgrammeParts> = {}): Programme =>
  createProgramme({
    operators: draft.operators,
    tasks: draft.tasks,
    utility: draft.utility,
    congestion: draft.congestion,
    resources: [{ name: 'capacity', capacity: draft.capacity }],
    demand: draft.demand,
    cap: draft.cap,
    ...more,
  })

/** Every constraint at once: three resources, κ, shortfall prices, security, groups. */
export function rich(operators: number, tasks: number, seed: number): ProgrammeParts {
  const draft = baseDraft(operators, tasks, seed)
  const random = seeded(seed + 17)
  const { capacity, demand } = draft
  const each = (length: number, low: number, high: number) =>
    new Float64Array(length).map(() => low + (high - low) * random())
  const pairs = operators * tasks
  const usual = sum(capacity) / operators
  return {
    operators,
    tasks,
    utility: draft.utility,
    congestion: each(pairs, 0.02, 0.1),
    loadCongestion: each(operators, 0, 0.02),
    resources: [
      { name: 'transactions', capacity },
      {
        name: 'budget',
        capacity: each(operators, 0.6 * usual, 1.4 * usual),
        use: each(pairs, 0.5, 1.5),
      },
      { name: 'memory', capacity: each(operators, 0.5 * usual, 2 * usual), use: each(tasks, 0, 2) },
    ],
    demand,
    shortfallPrice: each(tasks, 0.2, 1),
    cap: new Float64Array(pairs).map((_, e) => (random() < 0.1 ? 0 : at(draft.cap, e % tasks))),
    security: { stake: each(operators, 10, 100), floor: each(tasks, 40, 70) },
    groups: {
      count: 4,
      of: Int32Array.from({ length: operators }, () => Math.floor(6 * random()) - 2).map((g) =>
        Math.max(g, -1),
      ),
      share: each(tasks, 0.15, 0.4),
    },
  }
}

function rescale(draft: Draft, work: number, money: number): void {
  draft.utility = draft.utility.map((u) => u * money)
  draft.congestion = draft.congestion.map((q) => (q * money) / work)
  draft.capacity = draft.capacity.map((room) => room * work)
  draft.demand = draft.demand.map((d) => d * work)
  draft.cap = draft.cap.map((most) => most * work)
}

function scaleTo(values: Float64Array, total: number): void {
  const factor = total / sum(values)
  for (let k = 0; k < values.length; k++) values[k] = at(values, k) * factor
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0)

const at = (values: Float64Array, k: number): number => values[k] as number
