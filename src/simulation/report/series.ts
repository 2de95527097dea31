import type { Epoch } from '../facts.ts'
import type { Simulation } from '../simulate.ts'
import { spreadOf } from '../summary.ts'
import type { Curve } from './svg.ts'

/** A figure of each epoch; undefined where there is none. */
export type Figure = (epoch: Epoch) => number | undefined

/** The mean over all runs, epoch by epoch, with the least and the most around it. */
export function curveOf(label: string, { runs }: Simulation, figure: Figure): Curve {
  const rows = (runs[0]?.epochs ?? []).flatMap(({ epoch }, place) => {
    const values = runs.flatMap(({ epochs }) => {
      const one = epochs[place]
      const value = one && figure(one)
      return value === undefined ? [] : [value]
    })
    return values.length === 0 ? [] : [{ epoch, ...spreadOf(values) }]
  })
  return {
    label,
    points: rows.map(({ epoch, mean }) => [epoch, mean]),
    ...(runs.length > 1
      ? { band: rows.map(({ epoch, least, most }) => [epoch, least, most] as const) }
      : {}),
  }
}

/** As many operators as have a colour and a line of their own. */
const mostColours = 8

/** A curve for each operator: in colour those that move most, where there are many. */
export function operatorCurves(
  simulation: Simulation,
  figure: (epoch: Epoch, place: number) => number | undefined,
): readonly Curve[] {
  const { operators } = simulation.scenario
  const curves = operators.map(({ name }, place) =>
    curveOf(name, simulation, (epoch) =>
      epoch.operators[place]?.isMember ? figure(epoch, place) : undefined,
    ),
  )
  if (curves.length <= mostColours) return curves
  const ranked = [...curves.keys()].sort((a, b) => moved(curves[b]) - moved(curves[a]))
  const shown = new Set(ranked.slice(0, mostColours))
  const faint = curves.flatMap(({ points }, place) =>
    shown.has(place) ? [] : [{ label: '', points, isFaint: true }],
  )
  const rest = `${faint.length} others`
  return [
    ...faint.map((curve, k) => (k === 0 ? { ...curve, label: rest } : curve)),
    ...curves.filter((_, place) => shown.has(place)),
  ]
}

function moved(curve: Curve | undefined): number {
  const values = curve?.points.map(([, y]) => y) ?? []
  return values.length === 0 ? 0 : Math.max(...values) - Math.min(...values)
}
