import {
  type AllocationProgramme,
  type AllocationProposal,
  entryScale,
  maxResources,
  micro,
} from '#records'

/**
 * What a verified allocation earns, and what no allocation can exceed, both exactly, in 5 · 10^-19
 * of money.
 */
export type Worth = { readonly objective: bigint; readonly bound: bigint }

/** What verification says; `detail` names row, column and rule. */
export type Judgement =
  | ({ readonly ok: true } & Worth)
  | { readonly ok: false; readonly reason: string; readonly detail: string }

/** Prices beyond this, millionths of money, are refused: all sums stay exact below it. */
const maxPrice = 2 ** 24
/** Stakes that differ little need high prices to tell them apart. */
const maxStakePrice = 2 ** 31 - 1
/** Largest value of a place after all prices; its square is exact. */
const maxReduced = 2 ** 26
/** Largest sum that may go on growing as a number: one more term is still exact. */
const fullSum = 2 ** 52

/**
 * Verifies a proposal against the frozen inputs in one pass of whole numbers, without trusting
 * whoever solved it: every limit holds exactly, the multipliers have the right signs, and by weak
 * duality they show that no allocation earns more than `bound`.
 *
 * @param programme - one that `programmeFault` finds nothing in.
 * @param tolerancePpm - largest gap, in millionths; see `scaleOf`.
 */
export function judgeAllocation(
  programme: AllocationProgramme,
  proposal: AllocationProposal,
  tolerancePpm: number,
): Judgement {
  const fault = shapeFault(programme, proposal) ?? priceFault(programme, proposal)
  if (fault) return fault
  const primal = measure(programme, proposal)
  if ('ok' in primal) return primal
  const bound = boundOf(programme, proposal)
  if (typeof bound !== 'bigint') return bound
  const { objective } = primal
  const gap = bound - objective
  const scale = scaleOf(programme, { objective, bound })
  return gap * BigInt(micro) > scale * BigInt(tolerancePpm)
    ? refuse('AllocationGap', `${gap} of ${scale}, at most ${tolerancePpm} millionths`)
    : { ok: true, objective, bound }
}

/** Relative gap of what was verified, in millionths, rounded up; see `scaleOf`. */
export function gapPpm(programme: AllocationProgramme, { objective, bound }: Worth): number {
  const scale = scaleOf(programme, { objective, bound })
  return scale === 0n ? 0 : Number(((bound - objective) * BigInt(micro) + scale - 1n) / scale)
}

/**
 * What a gap is relative to: the largest of objective, bound, and the cost of leaving all undone,
 * without their signs. The last keeps it from vanishing where gains and losses cancel out.
 */
function scaleOf(programme: AllocationProgramme, { objective, bound }: Worth): bigint {
  const { jobs, seats, shortfallPrice } = programme
  let undone = 0n
  for (const [column, count] of jobs.entries())
    undone += BigInt(count * (seats[column] as number)) * BigInt(shortfallPrice[column] as number)
  const all = [absolute(objective), absolute(bound), undone * 2n * BigInt(micro) * BigInt(micro)]
  return all.reduce((a, b) => {
    if (a > b) return a
    return b
  })
}

/** How many kinds of resources a programme knows. */
export const resourcesOf = ({ capacity, operators }: AllocationProgramme): number =>
  capacity.length / operators.length

type Refusal = Judgement & { readonly ok: false }

const refuse = (reason: string, detail: string): Refusal => ({ ok: false, reason, detail })

function shapeFault(
  programme: AllocationProgramme,
  { start, entries, shortfall, ...prices }: AllocationProposal,
): Refusal | undefined {
  const { operators, services, groups } = programme
  const [n, m, k] = [operators.length, services.length, resourcesOf(programme)]
  const shapes: readonly (readonly [string, Int32Array, number])[] = [
    ['start', start, n + 1],
    ['shortfall', shortfall, m],
    ['capacityPrice', prices.capacityPrice, k * n],
    ['demandPrice', prices.demandPrice, m],
    ['stakePrice', prices.stakePrice, m],
    ['groupPrice', prices.groupPrice, groups * m],
  ]
  const wrong = shapes.find(([, values, length]) => values.length !== length)
  if (wrong) return refuse('AllocationShape', `${wrong[0]}: ${wrong[2]} numbers`)
  const isRising = start.every((at, row) => at >= (start[row - 1] ?? 0))
  return start[0] === 0 && isRising && start[n] === entries.length
    ? undefined
    : refuse('AllocationShape', 'start: rises from 0 to the number of entries')
}

/** Prices of limits are not negative; nobody pays more for a place than a shortfall costs. */
function priceFault(
  { services, shortfallPrice }: AllocationProgramme,
  { capacityPrice, demandPrice, stakePrice, groupPrice }: AllocationProposal,
): Refusal | undefined {
  const limits = [
    ['capacityPrice', capacityPrice, maxPrice],
    ['stakePrice', stakePrice, maxStakePrice],
    ['groupPrice', groupPrice, maxPrice],
  ] as const
  for (const [name, prices, most] of limits) {
    const at = prices.findIndex((price) => price < 0 || price > most)
    if (at >= 0) return refuse('AllocationPrice', `${name} ${at}: 0 to ${most}`)
  }
  const at = demandPrice.findIndex(
    (price, column) => price < -(shortfallPrice[column] as number) || price > maxPrice,
  )
  return at < 0
    ? undefined
    : refuse('AllocationPrice', `demandPrice of ${services[at]}: not below −shortfallPrice`)
}

/** Checks every limit, and adds up what the shares earn. */
function measure(
  programme: AllocationProgramme,
  proposal: AllocationProposal,
): Refusal | { readonly objective: bigint } {
  const { operators, services, utility, cap, stake, stakeFloor, group, groups } = programme
  const { start, entries } = proposal
  const m = services.length
  const sums = createSums(m, groups)
  const load = loadOf(programme)
  for (const [row, id] of operators.entries()) {
    load.clear()
    let last = -1
    for (let e = start[row] as number; e < (start[row + 1] as number); e++) {
      const entry = entries[e] as number
      const column = Math.floor(entry / entryScale)
      const share = entry % entryScale
      const isKnown = entry > 0 && column > last && column < m && share > 0
      if (!isKnown) return refuse('AllocationShape', `entry ${e}: a rising class and a share`)
      last = column
      const at = row * m + column
      if (share > (cap[at] as number)) return infeasible(programme, row, column, 'the cap')
      sums.share[column] = (sums.share[column] as number) + share
      sums.square[column] = (sums.square[column] as number) + share * share
      sums.earned[column] = (sums.earned[column] as number) + share * (utility[at] as number)
      const beyond = (stake[row] as number) - (stakeFloor[column] as number)
      sums.beyond[column] = (sums.beyond[column] as number) + share * beyond
      const place = (group[row] as number) * m + column
      if (place >= 0) sums.group[place] = (sums.group[place] as number) + share
      load.add(column, share)
    }
    const resource = load.exceeded(row)
    if (resource >= 0)
      return refuse('AllocationInfeasible', `operator ${id}: capacity of resource ${resource}`)
  }
  return (
    classFault(programme, proposal, sums) ?? { objective: objectiveOf(programme, proposal, sums) }
  )
}

/** Sums over operators, a class each; every one is exact within the bounds of a programme. */
type Sums = {
  readonly share: number[]
  readonly square: number[]
  readonly earned: number[]
  readonly beyond: number[]
  /** Shape [groups × M]. */
  readonly group: number[]
}

function createSums(m: number, groups: number): Sums {
  const zeros = () => new Array<number>(m).fill(0)
  return {
    share: zeros(),
    square: zeros(),
    earned: zeros(),
    beyond: zeros(),
    group: new Array<number>(groups * m).fill(0),
  }
}

/** What one operator's shares take of each resource. */
function loadOf(programme: AllocationProgramme) {
  const { operators, services, jobs, use, capacity } = programme
  const [n, m, kinds] = [operators.length, services.length, resourcesOf(programme)]
  const taken = new Array<number>(maxResources).fill(0)
  return {
    clear: () => void taken.fill(0),
    add: (column: number, share: number) => {
      for (let k = 0; k < kinds; k++) {
        const each = (use[k * m + column] as number) * (jobs[column] as number)
        taken[k] = (taken[k] as number) + each * share
      }
    },
    exceeded: (row: number): number => {
      for (let k = 0; k < kinds; k++)
        if ((taken[k] as number) > (capacity[k * n + row] as number) * micro) return k
      return -1
    },
  }
}

function classFault(
  { services, seats, groups, groupShare }: AllocationProgramme,
  { shortfall }: AllocationProposal,
  sums: Sums,
): Refusal | undefined {
  const m = services.length
  for (const [column, name] of services.entries()) {
    const places = seats[column] as number
    const missing = shortfall[column] as number
    const fault = (rule: string) => refuse('AllocationInfeasible', `${name}: ${rule}`)
    if (missing < 0) return fault('a shortfall is not negative')
    if ((sums.share[column] as number) + missing !== places * micro)
      return fault(`shares and shortfall come to ${places} places`)
    if ((sums.beyond[column] as number) < 0) return fault('the stake behind it')
    for (let g = 0; g < groups; g++)
      if ((sums.group[g * m + column] as number) > (groupShare[column] as number) * places)
        return fault(`the share of group ${g}`)
  }
  return undefined
}

const infeasible = (
  { operators, services }: AllocationProgramme,
  row: number,
  column: number,
  rule: string,
): Refusal =>
  refuse('AllocationInfeasible', `operator ${operators[row]}, ${services[column]}: ${rule}`)

function objectiveOf(
  { jobs, congestion, shortfallPrice }: AllocationProgramme,
  { shortfall }: AllocationProposal,
  { earned, square }: Sums,
): bigint {
  let objective = 0n
  for (const [column, count] of jobs.entries()) {
    const lost = BigInt(shortfallPrice[column] as number) * BigInt(shortfall[column] as number)
    const net = 2n * BigInt(micro) * (BigInt(earned[column] as number) - lost)
    const crowded = BigInt(congestion[column] as number) * BigInt(square[column] as number)
    objective += BigInt(count) * (net - crowded)
  }
  return objective
}

/**
 * The dual function at the given prices, never below the exact one: what each pair could add beyond
 * its prices, and what the limits themselves are worth.
 */
function boundOf(
  programme: AllocationProgramme,
  { capacityPrice, demandPrice, stakePrice, groupPrice }: AllocationProposal,
): bigint | Refusal {
  const { operators, services, jobs, seats, utility, cap, congestion } = programme
  const { capacity, use, stake, stakeFloor, group, groups, groupShare } = programme
  const [n, m, kinds] = [operators.length, services.length, resourcesOf(programme)]
  let bound = capacityWorth(capacity, capacityPrice)
  for (let column = 0; column < m; column++) {
    const q = congestion[column] as number
    const stakes = stakePrice[column] as number
    const least = stakeFloor[column] as number
    const gain = createGain(q)
    for (let row = 0; row < n; row++) {
      const at = row * m + column
      const of = group[row] as number
      let value = (utility[at] as number) - (demandPrice[column] as number)
      for (let k = 0; k < kinds; k++)
        value -= (capacityPrice[k * n + row] as number) * (use[k * m + column] as number)
      if (stakes > 0) value -= Math.floor((stakes * (least - (stake[row] as number))) / micro)
      if (of >= 0) value -= groupPrice[of * m + column] as number
      if (value > maxReduced) return refuse('AllocationPrice', `${services[column]}: too low`)
      if (value > 0) gain.add(value, cap[at] as number)
    }
    let nu = 0
    for (let g = 0; g < groups; g++) nu += groupPrice[g * m + column] as number
    const places = BigInt(seats[column] as number)
    const limits =
      BigInt(demandPrice[column] as number) * places * BigInt(micro) +
      BigInt(nu) * places * BigInt(groupShare[column] as number)
    bound += BigInt(jobs[column] as number) * (2n * BigInt(micro) * limits + gain.total())
  }
  return bound
}

function capacityWorth(capacity: Int32Array, prices: Int32Array): bigint {
  let worth = 0n
  for (const [place, price] of prices.entries())
    if (price > 0) worth += BigInt(price) * BigInt(capacity[place] as number)
  return worth * 2n * BigInt(micro) * BigInt(micro)
}

/**
 * Adds up max over 0 ≤ y ≤ cap of w y − ½ q y², for one class: inner ones through Σ w², full ones
 * through Σ w cap and Σ cap². Divides once, rounded up.
 */
function createGain(q: number) {
  const inner = createTotal()
  const full = createTotal()
  let squares = 0
  return {
    add: (value: number, cap: number) => {
      if (value * micro < q * cap) return inner.add(value * value)
      full.add(value * cap)
      squares += cap * cap
    },
    total: (): bigint => {
      const one = BigInt(micro)
      const divisor = BigInt(q > 0 ? q : 1)
      const within = (inner.value() * one * one + divisor - 1n) / divisor
      return within + 2n * one * full.value() - BigInt(q) * BigInt(squares)
    },
  }
}

/** A sum of numbers below 2^53 that never loses one. */
function createTotal() {
  let low = 0
  let high = 0n
  return {
    add: (term: number) => {
      low += term
      if (low < fullSum) return
      high += BigInt(low)
      low = 0
    },
    value: (): bigint => high + BigInt(low),
  }
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value)
