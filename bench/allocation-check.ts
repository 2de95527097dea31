import type { Found, ProgrammeParts } from '#model'

/** What an independent look at an answer says. */
export type Verdict = {
  readonly gap: number
  readonly violation: number
  readonly objective: number
}

/**
 * Gap and violation of an answer, both relative, from the definitions alone and without any of the
 * solver's code: weak duality with every multiplier, every pair, every constraint.
 */
export function verdictOf(parts: ProgrammeParts, found: Found): Verdict {
  const x = densely(parts, found)
  const objective = worthOf(parts, x, found.shortfall)
  const bound = boundOf(parts, found)
  const gap = Math.abs(bound - objective) / Math.max(Math.abs(bound), Math.abs(objective), 1e-300)
  return { gap, violation: violationOf(parts, x, found), objective }
}

type Matrix = readonly (readonly number[])[]

const range = (n: number): number[] => [...Array(n).keys()]

const pick = (
  values: Float64Array | undefined,
  parts: ProgrammeParts,
  i: number,
  t: number,
  k: number,
) =>
  values === undefined
    ? 1
    : (values[values.length === parts.operators * parts.tasks ? i * parts.tasks + t : k] as number)

function densely(parts: ProgrammeParts, { allocation }: Found): Matrix {
  return range(parts.operators).map((i) => {
    const row = new Array<number>(parts.tasks).fill(0)
    const [first, end] = [allocation.start[i] as number, allocation.start[i + 1] as number]
    for (let e = first; e < end; e++) {
      const t = allocation.task[e] as number
      row[t] = (row[t] as number) + (allocation.units[e] as number)
    }
    return row
  })
}

function worthOf(parts: ProgrammeParts, x: Matrix, shortfall: Float64Array): number {
  let worth = 0
  x.forEach((row, i) => {
    let load = 0
    row.forEach((units, t) => {
      const q = pick(parts.congestion, parts, i, t, i)
      worth += (parts.utility[i * parts.tasks + t] as number) * units - (q * units * units) / 2
      load += pick(parts.resources[0]?.use, parts, i, t, t) * units
    })
    worth -= ((parts.loadCongestion?.[i] ?? 0) * load * load) / 2
  })
  if (parts.shortfallPrice)
    for (const t of range(parts.tasks))
      worth -= (parts.shortfallPrice[t] as number) * (shortfall[t] as number)
  return worth
}

/** Largest of the Lagrangian over the box 0 ≤ x ≤ min(x̄, d), 0 ≤ s, 0 ≤ load ≤ R. */
function boundOf(parts: ProgrammeParts, { prices }: Found): number {
  const { operators, tasks, resources, demand, shortfallPrice, security, groups } = parts
  let bound = 0
  for (const t of range(tasks)) {
    const mu = prices.demand[t] as number
    if (shortfallPrice && mu < -(shortfallPrice[t] as number) * (1 + 1e-12)) return Infinity
    if ((prices.security[t] as number) < 0) return Infinity
    bound += mu * (demand[t] as number)
    for (const g of range(groups?.count ?? 0)) {
      const nu = prices.group[g * tasks + t] as number
      if (nu < 0) return Infinity
      bound += nu * (groups?.share[t] as number) * (demand[t] as number)
    }
  }
  for (const i of range(operators)) {
    resources.forEach(({ capacity }, k) => {
      const lambda = prices.capacity[k * operators + i] as number
      if (lambda < 0) bound = Infinity
      const kappa = k === 0 ? (parts.loadCongestion?.[i] ?? 0) : 0
      const load =
        kappa > 0 ? Math.min(lambda / kappa, capacity[i] as number) : (capacity[i] as number)
      bound += lambda * load - (kappa * load * load) / 2
    })
    for (const t of range(tasks)) {
      let net = (parts.utility[i * tasks + t] as number) - (prices.demand[t] as number)
      resources.forEach(({ use }, k) => {
        net -= pick(use, parts, i, t, t) * (prices.capacity[k * operators + i] as number)
      })
      if (security)
        net +=
          ((security.stake[i] as number) - (security.floor[t] as number)) *
          (prices.security[t] as number)
      const group = groups ? (groups.of[i] as number) : -1
      if (group >= 0) net -= prices.group[group * tasks + t] as number
      const most = Math.min(pick(parts.cap, parts, i, t, t), demand[t] as number)
      const q = pick(parts.congestion, parts, i, t, i)
      const units = net <= 0 ? 0 : q === 0 ? most : Math.min(net / q, most)
      bound += net * units - (q * units * units) / 2
    }
  }
  return bound
}

function violationOf(parts: ProgrammeParts, x: Matrix, { shortfall }: Found): number {
  const { tasks, resources, demand, security, groups, shortfallPrice } = parts
  const mean = demand.reduce((a, b) => a + b, 0) / tasks
  let worst = 0
  const note = (excess: number, scale: number) => {
    if (excess > 0 || Number.isNaN(excess)) worst = Math.max(worst, excess / (scale || 1e-300))
  }
  x.forEach((row, i) => {
    row.forEach((units, t) => {
      note(units - pick(parts.cap, parts, i, t, t), demand[t] as number)
      note(-units, mean)
    })
    resources.forEach(({ capacity, use }) => {
      const load = row.reduce((sum, units, t) => sum + pick(use, parts, i, t, t) * units, 0)
      note(load - (capacity[i] as number), capacity[i] as number)
    })
  })
  for (const t of range(tasks)) {
    const d = demand[t] as number
    const column = x.map((row) => row[t] as number)
    const served = column.reduce((a, b) => a + b, 0)
    const missed = shortfallPrice ? (shortfall[t] as number) : 0
    note(-missed, d)
    note(Math.abs(served + missed - d), Math.max(d, 1e-6 * mean))
    if (security) {
      const beyond = column.map(
        (units, i) => ((security.stake[i] as number) - (security.floor[t] as number)) * units,
      )
      const lack = -beyond.reduce((a, b) => a + b, 0)
      note(lack, (security.floor[t] as number) * d)
    }
    for (const g of range(groups?.count ?? 0)) {
      const load = column.reduce((sum, units, i) => sum + (groups?.of[i] === g ? units : 0), 0)
      note(load - (groups?.share[t] as number) * d, d)
    }
  }
  return worst
}
