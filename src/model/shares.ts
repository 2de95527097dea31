import { badProgramme } from './check-programme.ts'
import { pairOf, useOf } from './evaluate.ts'
import type { Allocation, Programme, Resource } from './programme.ts'

/** An allocation in whole units: what leaves the model for the ledger. */
export type Shares = {
  /** Shape [N + 1]: where each operator's entries start. */
  readonly start: Int32Array
  readonly task: Int32Array
  /** Whole units of each entry; > 0, safe integers. */
  readonly units: Float64Array
  /** Whole units of demand that nobody does, shape [M]; 0 everywhere if all of them can be done. */
  readonly shortfall: Float64Array
}

const defaultUnit = 1e-6

/**
 * Rounds an allocation to whole units so that every limit holds exactly, in integers: demand =
 * shares + shortfall, capacities, caps, groups, security. Limits and demand are rounded down: what
 * is less than a unit is nobody's. What rounding leaves over goes where there is room, by the
 * largest remainder first; where operators are full, work moves along chains of them; only what
 * then still finds no place, or may not be placed because of security or groups, becomes shortfall.
 *
 * With one resource of which each unit takes one, and neither security nor groups, nothing becomes
 * shortfall that whole units could serve.
 *
 * @param unit - size of a whole unit, in units of work and of each resource.
 * @throws BadProgrammeError when a limit is beyond exact integers in these units.
 */
export function toShares(
  programme: Programme,
  allocation: Allocation,
  unit: number = defaultUnit,
): Shares {
  const rounding = createRounding(programme, allocation, unit)
  cutToRooms(rounding)
  cutToSecurity(rounding)
  placeLeftovers(rounding)
  if (rounding.canMove) moveAlongChains(rounding)
  return compress(rounding)
}

/** Work in progress: dense whole units and what is left of each limit. */
type Rounding = {
  readonly programme: Programme
  /** Shape [N × M]. */
  readonly units: Float64Array
  /** What rounding down took off, shape [N × M]; for the order of filling. */
  readonly remainder: Float64Array
  readonly cap: Float64Array
  /** Use of a resource by a whole unit, in 2^-20; `undefined` for one. */
  readonly use: readonly (Float64Array | undefined)[]
  /** What is left of each capacity, shape [K × N]; in units of `use` where there is one. */
  readonly room: readonly bigint[][]
  /** Demand that is not placed yet, shape [M]. */
  readonly open: Float64Array
  /** What is left of each group's limit, shape [G × M]. */
  readonly groupRoom: Float64Array
  /** stake − Θ in whole numbers, rounded down; undefined without a security constraint. */
  readonly beyond: ((i: number, t: number) => bigint) | undefined
  readonly canMove: boolean
}

const useScale = 2 ** 20

function createRounding(programme: Programme, allocation: Allocation, unit: number): Rounding {
  const { operators: n, tasks: m, resources, demand, groups, security } = programme
  const pair = pairOf(programme)
  const units = new Float64Array(n * m)
  const remainder = new Float64Array(n * m)
  const cap = new Float64Array(n * m)
  const open = demand.map((d, column) => whole('demand', down(d / unit), { column }))
  for (let i = 0; i < n; i++) {
    for (let t = 0; t < m; t++)
      cap[i * m + t] = Math.min(down(pair.cap(i, t) / unit), open[t] as number)
    for (let e = allocation.start[i] as number; e < (allocation.start[i + 1] as number); e++) {
      const at = i * m + (allocation.task[e] as number)
      const exact = (allocation.units[e] as number) / unit
      units[at] = Math.min(down(exact), cap[at] as number)
      remainder[at] = exact - (units[at] as number)
    }
  }
  const use = resources.map((resource) => wholeUses(programme, resource))
  const room = resources.map(({ capacity, name }, k) =>
    Array.from(capacity, (most, row) => {
      const limit = BigInt(whole(`capacity of ${name}`, down(most / unit), { row }))
      return use[k] ? limit * BigInt(useScale) : limit
    }),
  )
  const groupRoom = new Float64Array((groups?.count ?? 0) * m).map((_, c) =>
    Math.floor((groups?.share[c % m] as number) * (open[c % m] as number)),
  )
  const canMove = !use.some(Boolean) && resources.length === 1 && !security && !groups
  return {
    programme,
    units,
    remainder,
    cap,
    use,
    room,
    open,
    groupRoom,
    canMove,
    beyond: security && beyondOf(security.stake, security.floor),
  }
}

/** The whole number at or just above by rounding error, else the one below. */
function down(value: number): number {
  if (value === Infinity) return Infinity
  const nearest = Math.round(value)
  return Math.abs(value - nearest) <= 1e-12 * nearest ? nearest : Math.floor(value)
}

function whole(part: string, value: number, place: { row?: number; column?: number }): number {
  if (value > Number.MAX_SAFE_INTEGER)
    badProgramme(part, value, 'is beyond exact integers in these units', place)
  return value
}

/** Uses in 2^-20, rounded up, so that a limit that holds for them holds. */
function wholeUses(
  { operators: n, tasks: m }: Programme,
  resource: Resource,
): Float64Array | undefined {
  if (!resource.use) return undefined
  return new Float64Array(n * m).map((_, e) => {
    const place = { row: Math.floor(e / m), column: e % m }
    const scaled = Math.ceil(useOf(resource, place.row, place.column, m) * useScale)
    return whole(`use of ${resource.name}`, scaled, place)
  })
}

function beyondOf(stake: Float64Array, floor: Float64Array): (i: number, t: number) => bigint {
  const most = Math.max(...stake, ...floor, Number.MIN_VALUE)
  const scale = 2 ** 44 / most
  return (i, t) => BigInt(Math.floor(((stake[i] as number) - (floor[t] as number)) * scale))
}

/** Takes the units as they are off all limits, fewer where a limit would break. */
function cutToRooms(rounding: Rounding): void {
  const { programme, units } = rounding
  const { operators: n, tasks: m } = programme
  for (let i = 0; i < n; i++)
    for (let t = 0; t < m; t++) {
      const wanted = units[i * m + t] as number
      units[i * m + t] = 0
      if (wanted > 0) add(rounding, i, t, Math.min(wanted, spare(rounding, i, t)))
    }
}

/** How many more whole units of a task an operator may do, security aside. */
function spare(
  { programme, units, cap, use, room, open, groupRoom }: Rounding,
  i: number,
  t: number,
) {
  const { tasks: m, groups } = programme
  const at = i * m + t
  let most = Math.min((cap[at] as number) - (units[at] as number), open[t] as number)
  const group = groups ? (groups.of[i] as number) : -1
  if (group >= 0) most = Math.min(most, groupRoom[group * m + t] as number)
  if (most <= 0) return 0
  room.forEach((left, k) => {
    const each = BigInt(use[k]?.[at] ?? 1)
    if (each > 0n) most = Math.min(most, Number((left[i] as bigint) / each))
  })
  return most
}

function add(
  { programme, units, use, room, open, groupRoom }: Rounding,
  i: number,
  t: number,
  more: number,
) {
  const { tasks: m, groups } = programme
  const at = i * m + t
  units[at] = (units[at] as number) + more
  open[t] = (open[t] as number) - more
  const group = groups ? (groups.of[i] as number) : -1
  if (group >= 0) groupRoom[group * m + t] = (groupRoom[group * m + t] as number) - more
  room.forEach((left, k) => {
    left[i] = (left[i] as bigint) - BigInt(use[k]?.[at] ?? 1) * BigInt(more)
  })
}

/** Takes work off the operators with the least stake until the mean stake is high enough. */
function cutToSecurity(rounding: Rounding): void {
  const { programme, units, beyond } = rounding
  if (!beyond) return
  const { operators: n, tasks: m, security } = programme
  const poorest = Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => (security?.stake[a] as number) - (security?.stake[b] as number),
  )
  for (let t = 0; t < m; t++) {
    let sum = 0n
    for (let i = 0; i < n; i++) sum += beyond(i, t) * BigInt(units[i * m + t] as number)
    for (const i of poorest) {
      const each = beyond(i, t)
      const own = units[i * m + t] as number
      if (sum >= 0n || each >= 0n) break
      if (own === 0) continue
      const fewer = Math.min(own, Number((-sum + -each - 1n) / -each))
      add(rounding, i, t, -fewer)
      sum -= each * BigInt(fewer)
    }
  }
}

/** Places what is open: first by the largest remainder, then wherever there is room. */
function placeLeftovers(rounding: Rounding): void {
  const { programme, open, remainder, beyond } = rounding
  const { operators: n, tasks: m } = programme
  for (let t = 0; t < m; t++) {
    if ((open[t] as number) === 0) continue
    const allowed = Array.from({ length: n }, (_, i) => i).filter(
      (i) => !beyond || beyond(i, t) >= 0n,
    )
    const inOrder = allowed.sort((a, b) => byRemainder(remainder, a * m + t, b * m + t))
    for (const i of inOrder) {
      if ((remainder[i * m + t] as number) <= 0 || (open[t] as number) === 0) break
      add(rounding, i, t, Math.min(spare(rounding, i, t), 1))
    }
    for (const i of inOrder) {
      if ((open[t] as number) === 0) break
      add(rounding, i, t, spare(rounding, i, t))
    }
  }
}

const byRemainder = (remainder: Float64Array, a: number, b: number): number =>
  (remainder[b] as number) - (remainder[a] as number)

/**
 * Moves work from operator to operator so that open demand finds room: shortest paths in the graph
 * task → operator (who may do more of it) → task (of which it does some), until an operator with
 * spare capacity is reached.
 */
function moveAlongChains(rounding: Rounding): void {
  for (let t = 0; t < rounding.programme.tasks; t++)
    while ((rounding.open[t] as number) > 0) {
      const path = shortestChain(rounding, t)
      if (!path) break
      shift(rounding, path)
    }
}

/** A chain: tasks t0, t1, … and operators i0, i1, …; i_k takes over t_k and gives up t_(k+1). */
type Chain = { readonly tasks: number[]; readonly operators: number[] }

function shortestChain({ programme, units, cap, room }: Rounding, from: number): Chain | undefined {
  const { operators: n, tasks: m } = programme
  const [rooms] = room as [bigint[]]
  const taskOf = new Int32Array(n).fill(-1) // the task by which an operator was reached
  const operatorOf = new Int32Array(m).fill(-1) // the operator by which a task was reached
  const queue = [from]
  const seen = new Uint8Array(m)
  seen[from] = 1
  for (const t of queue)
    for (let i = 0; i < n; i++) {
      const at = i * m + t
      if ((taskOf[i] as number) >= 0 || (units[at] as number) >= (cap[at] as number)) continue
      taskOf[i] = t
      if ((rooms[i] as bigint) > 0n) return chainTo(i, from, taskOf, operatorOf)
      for (let next = 0; next < m; next++)
        if (!seen[next] && (units[i * m + next] as number) > 0) {
          seen[next] = 1
          operatorOf[next] = i
          queue.push(next)
        }
    }
  return undefined
}

function chainTo(last: number, from: number, taskOf: Int32Array, operatorOf: Int32Array): Chain {
  const chain: Chain = { tasks: [], operators: [] }
  let operator = last
  for (;;) {
    const task = taskOf[operator] as number
    chain.operators.unshift(operator)
    chain.tasks.unshift(task)
    if (task === from) return chain
    operator = operatorOf[task] as number
  }
}

function shift(rounding: Rounding, { tasks, operators }: Chain): void {
  const { units, cap, open, room, programme } = rounding
  const m = programme.tasks
  const last = operators.at(-1) as number
  let amount = Math.min(open[tasks[0] as number] as number, Number(room[0]?.[last] as bigint))
  operators.forEach((i, k) => {
    const at = i * m + (tasks[k] as number)
    amount = Math.min(amount, (cap[at] as number) - (units[at] as number))
    const given = tasks[k + 1]
    if (given !== undefined) amount = Math.min(amount, units[i * m + given] as number)
  })
  operators.forEach((i, k) => {
    const given = tasks[k + 1]
    if (given !== undefined) add(rounding, i, given, -amount)
    add(rounding, i, tasks[k] as number, amount)
  })
}

function compress({ programme, units, open }: Rounding): Shares {
  const { operators: n, tasks: m } = programme
  const start = new Int32Array(n + 1)
  const task: number[] = []
  const kept: number[] = []
  for (let i = 0; i < n; i++) {
    for (let t = 0; t < m; t++)
      if ((units[i * m + t] as number) > 0) {
        task.push(t)
        kept.push(units[i * m + t] as number)
      }
    start[i + 1] = task.length
  }
  return { start, task: Int32Array.from(task), units: Float64Array.from(kept), shortfall: open }
}
