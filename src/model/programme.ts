import type { Brand } from '#primitives'

/**
 * The allocation programme: who does how much of what.
 *
 * maximise   Σ (u x − ½ q x²) − ½ Σ_i κ_i L_i² − Σ_τ P_τ s_τ
 * subject to Σ_i x_iτ + s_τ = d_τ           demand; s = 0 without a shortfall price
 *            Σ_τ a_kiτ x_iτ ≤ R_ki          each resource k of each operator i
 *            0 ≤ x_iτ ≤ x̄_iτ                replication
 *            Σ_i (stake_i − Θ_τ) x_iτ ≥ 0   security: mean stake behind what is served
 *            Σ_{i∈g} x_iτ ≤ γ_τ d_τ         declared groups
 *
 * x is in units of work an epoch, L_i the load on the first resource. Matrices are row-major with a
 * row for each operator and a column for each task class.
 *
 * @see the paper, §4.3.1-4.3.2, whose formulas are lost: this form is ours.
 */
export type ProgrammeParts = {
  /** N ≥ 1. */
  readonly operators: number
  /** M ≥ 1. */
  readonly tasks: number
  /** u, shape [N × M], money a unit; finite. */
  readonly utility: Float64Array
  /** q, shape [N] or [N × M], money a unit²; ≥ 0. All zero makes a linear programme. */
  readonly congestion: Float64Array
  /** κ, shape [N], money a unit of the first resource, squared; ≥ 0. */
  readonly loadCongestion?: Float64Array
  /** The K ≥ 1 limits of each operator. */
  readonly resources: readonly Resource[]
  /** d, shape [M], units; ≥ 0. */
  readonly demand: Float64Array
  /** P, shape [M], money a unit that nobody serves; ≥ 0. Without it all demand must be met. */
  readonly shortfallPrice?: Float64Array
  /** x̄, shape [M] or [N × M], units; ≥ 0, Infinity for none. Zero where an operator cannot. */
  readonly cap: Float64Array
  readonly security?: Security
  readonly groups?: Groups
}

/** A limit of each operator: transactions, a budget of validation cost, memory. */
export type Resource = {
  readonly name: string
  /** R, shape [N], in units of the resource; ≥ 0. */
  readonly capacity: Float64Array
  /** a, shape [M] or [N × M], resource a unit of work; ≥ 0. Without it, one. */
  readonly use?: Float64Array
}

/** The stake that must stand behind each class of tasks. */
export type Security = {
  /** Slashable stake, shape [N], money; ≥ 0. */
  readonly stake: Float64Array
  /** Θ, shape [M]: least mean stake behind a served unit; ≥ 0. */
  readonly floor: Float64Array
}

/** Operators that declared a common owner, host or client. */
export type Groups = {
  /** How many groups there are. */
  readonly count: number
  /** Shape [N]: the group of each operator from 0, or −1. */
  readonly of: Int32Array
  /** γ, shape [M]: largest share of a task's demand for a group; 0 to 1. */
  readonly share: Float64Array
}

/** Parts that were checked; only `createProgramme` makes one. */
export type Programme = Brand<ProgrammeParts, 'Programme'>

/** What of an operator's row is given for each pair, for each task, or is one everywhere. */
export type Layout = 'one' | 'row' | 'column' | 'pair'

/** How `values` lie over [N × M] when `short` is what a vector would mean. */
export const layoutOf = (
  { operators, tasks }: Pick<ProgrammeParts, 'operators' | 'tasks'>,
  values: Float64Array | undefined,
  short: 'row' | 'column',
): Layout => {
  if (values === undefined) return 'one'
  return values.length === operators * tasks ? 'pair' : short
}

/** An allocation by its positive entries, row by row. */
export type Allocation = {
  /** Shape [N + 1]: where each operator's entries start. */
  readonly start: Int32Array
  /** The task of each entry; rising within a row. */
  readonly task: Int32Array
  /** Units of work of each entry; > 0. */
  readonly units: Float64Array
}

/** What one more unit of each limit is worth: the multipliers of the programme. */
export type Prices = {
  /** λ, shape [K × N], money a unit of resource; ≥ 0. With κ, it includes congestion. */
  readonly capacity: Float64Array
  /** μ, shape [M], money a unit of demand: the surplus of one more unit; negative = at a loss. */
  readonly demand: Float64Array
  /** σ, shape [M], money a unit and unit of stake; ≥ 0. Zero without a security constraint. */
  readonly security: Float64Array
  /** ν, shape [G × M], money a unit; ≥ 0. Empty without groups. */
  readonly group: Float64Array
}

/** The allocation as a matrix, shape [N × M]. */
export function toDense({ start, task, units }: Allocation, tasks: number): Float64Array {
  const operators = start.length - 1
  const dense = new Float64Array(operators * tasks)
  for (let i = 0; i < operators; i++)
    for (let e = start[i] as number; e < (start[i + 1] as number); e++)
      dense[i * tasks + (task[e] as number)] = units[e] as number
  return dense
}

/** The positive entries of a matrix of shape [N × M]. */
export function fromDense(dense: Float64Array, tasks: number): Allocation {
  const operators = dense.length / tasks
  const start = new Int32Array(operators + 1)
  let count = 0
  for (let e = 0; e < dense.length; e++) if ((dense[e] as number) > 0) count++
  const task = new Int32Array(count)
  const units = new Float64Array(count)
  for (let i = 0, n = 0; i < operators; i++) {
    for (let t = 0; t < tasks; t++) {
      const value = dense[i * tasks + t] as number
      if (value > 0) {
        task[n] = t
        units[n++] = value
      }
    }
    start[i + 1] = n
  }
  return { start, task, units }
}
