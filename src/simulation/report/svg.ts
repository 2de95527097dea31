/** One curve: its points in the units of the axes. */
export type Curve = {
  readonly label: string
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Dots instead of a line. */
  readonly isDotted?: boolean
  /** How far values reach around the curve. */
  readonly band?: readonly (readonly [x: number, low: number, high: number])[]
  /** In the background: grey, without a line in the legend where the label is empty. */
  readonly isFaint?: boolean
}

/** How an axis counts. */
export type Axis = {
  readonly label: string
  readonly low: number
  readonly high: number
  readonly isLog?: boolean
  /** Parts between the ticks of an axis that is not logarithmic; 5 by default. */
  readonly parts?: number
}

/** A chart of curves. */
export type Chart = {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly curves: readonly Curve[]
  /** Vertical lines, and what they say. */
  readonly marks?: readonly Mark[]
}

/** A vertical line in a chart. */
export type Mark = { readonly at: number; readonly label: string }

/** A matrix in colours: dark = much. */
export type HeatMap = {
  readonly title: string
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  /** Shape [rows × columns], 0 to 1. */
  readonly values: Float64Array
  readonly legend: string
}

const width = 720
const height = 400
const frame = { left: 70, right: 550, top: 40, bottom: 340 }

/** Colours that people who see few colours can tell apart (Okabe and Ito 2008). */
const palette = [
  ...['#0072b2', '#e69f00', '#009e73', '#d55e00', '#cc79a7'],
  ...['#56b4e9', '#000000', '#8c6d00', '#7f7f7f'],
]

/** The chart as a file of SVG. */
export function drawChart(chart: Chart): string {
  const { title, x, y, curves, marks = [] } = chart
  const across = scaleOf(x, frame.left, frame.right)
  const up = scaleOf(y, frame.bottom, frame.top)
  const looks = looksOf(curves)
  const bands = curves.flatMap((curve, k) => drawBand(curve, looks[k] as Look, across, up))
  const drawn = curves.flatMap((curve, k) => drawCurve(curve, looks[k] as Look, across, up))
  const marked = marks.flatMap(({ label, at }) => drawMark(label, across(at)))
  return page(title, height, [...axes(x, y, across, up), ...bands, ...marked, ...drawn])
}

type Scale = (value: number) => number

/** Values beyond the axis stay at its end. */
function scaleOf({ low, high, isLog = false }: Axis, from: number, to: number): Scale {
  const bend = isLog ? Math.log10 : (value: number) => value
  const [first, last] = [bend(low), bend(high)]
  return (value) => {
    const inside = Math.min(Math.max(value, low), high)
    return from + ((bend(inside) - first) / (last - first)) * (to - from)
  }
}

function axes(x: Axis, y: Axis, across: Scale, up: Scale): string[] {
  const { left, right, top, bottom } = frame
  return [
    ...ticksOf(x).flatMap((value) => [
      line(across(value), top, across(value), bottom, '#e5e5e5'),
      text(across(value), bottom + 18, format(value), 'middle'),
    ]),
    ...ticksOf(y).flatMap((value) => [
      line(left, up(value), right, up(value), '#e5e5e5'),
      text(left - 8, up(value) + 4, format(value), 'end'),
    ]),
    line(left, bottom, right, bottom, '#333'),
    line(left, top, left, bottom, '#333'),
    text((left + right) / 2, bottom + 42, x.label, 'middle'),
    `<g transform="translate(18 ${(top + bottom) / 2}) rotate(-90)">${text(0, 0, y.label, 'middle')}</g>`,
  ]
}

function ticksOf({ low, high, isLog, parts = 5 }: Axis): number[] {
  const span = high - low
  // A sum of steps may miss nought by the last bits.
  const snap = (value: number) => (Math.abs(value) < 1e-9 * span ? 0 : value)
  if (!isLog) return Array.from({ length: parts + 1 }, (_, k) => snap(low + (span * k) / parts))
  const first = Math.ceil(Math.log10(low) - 1e-9)
  const last = Math.floor(Math.log10(high) + 1e-9)
  const stride = Math.max(1, Math.ceil((last - first) / 6))
  const powers = Array.from({ length: last - first + 1 }, (_, k) => first + k)
  return powers
    .filter((power) => (power - first) % stride === 0)
    .map((power) => Number(`1e${power}`))
}

/** A curve's colour, and its line in the legend; −1: none. */
type Look = { readonly colour: string; readonly key: number }

function looksOf(curves: readonly Curve[]): readonly Look[] {
  let [colours, keys] = [0, 0]
  return curves.map(({ label, isFaint }) => {
    const colour = isFaint ? '#c4c4c4' : (palette[colours++ % palette.length] as string)
    return { colour, key: label === '' ? -1 : keys++ }
  })
}

function drawBand({ band = [] }: Curve, { colour }: Look, across: Scale, up: Scale): string[] {
  if (band.length === 0) return []
  const at = (x: number, y: number) => `${round(across(x))},${round(up(y))}`
  const there = band.map(([x, , high]) => at(x, high))
  const back = band.toReversed().map(([x, low]) => at(x, low))
  return [
    `<polygon fill="${colour}" fill-opacity="0.15" points="${[...there, ...back].join(' ')}"/>`,
  ]
}

function drawCurve(
  { label, points, isDotted, isFaint }: Curve,
  { colour, key }: Look,
  across: Scale,
  up: Scale,
): string[] {
  const at = points.map(([x, y]) => [round(across(x)), round(up(y))] as const)
  const width = isFaint ? 1 : 1.8
  const shape = isDotted
    ? at.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${colour}"/>`)
    : [
        `<polyline fill="none" stroke="${colour}" stroke-width="${width}" points="${at.join(' ')}"/>`,
      ]
  if (key < 0) return shape
  const y = frame.top + 8 + 20 * key
  const sample = line(frame.right + 14, y, frame.right + 34, y, colour, 3)
  return [...shape, sample, text(frame.right + 40, y + 4, label, 'start')]
}

const drawMark = (label: string, x: number): string[] => [
  `<line x1="${round(x)}" y1="${frame.top}" x2="${round(x)}" y2="${frame.bottom}" stroke="#d55e00" stroke-dasharray="5 4"/>`,
  text(x - 6, frame.top + 14, label, 'end'),
]

/** The heat map as a file of SVG. */
export function drawHeatMap({ title, rows, columns, values, legend }: HeatMap): string {
  const [left, top] = [110, 70]
  const room = width - left - 20
  const cell = { width: Math.min(34, room / columns.length), height: 18 }
  const gap = Math.min(1, cell.width / 10)
  const cells = rows.flatMap((row, i) => [
    text(left - 8, top + i * cell.height + 13, row, 'end'),
    ...columns.map((_, t) => {
      const shade = colourOf(values[i * columns.length + t] as number)
      const [x, y] = [round(left + t * cell.width), top + i * cell.height]
      return `<rect x="${x}" y="${y}" width="${round(cell.width - gap)}" height="${cell.height - 1}" fill="${shade}"/>`
    }),
  ])
  // A name needs some room: of narrow columns not every one has its own.
  const stride = Math.ceil(30 / cell.width)
  const heads = columns.flatMap((name, t) =>
    t % stride === 0 ? [text(left + (t + 0.5) * cell.width, top - 10, name, 'middle')] : [],
  )
  const end = top + rows.length * cell.height
  return page(title, end + 50, [...heads, ...cells, text(left, end + 26, legend, 'start')])
}

/** White to dark blue. */
function colourOf(part: number): string {
  const p = Math.min(Math.max(part, 0), 1)
  const mix = (light: number, dark: number) => Math.round(light + (dark - light) * p)
  return `rgb(${mix(240, 0)},${mix(244, 60)},${mix(248, 120)})`
}

const page = (title: string, tall: number, parts: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${tall}" font-family="sans-serif" font-size="12">`,
    `<title>${inXml(title)}</title>`,
    `<rect width="${width}" height="${tall}" fill="#fff"/>`,
    `<text x="${width / 2}" y="22" text-anchor="middle" font-size="15" fill="#111">${inXml(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')

const text = (x: number, y: number, words: string, anchor: string): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="#333">${inXml(words)}</text>`

const line = (x1: number, y1: number, x2: number, y2: number, colour: string, thick = 1): string =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}" stroke-width="${thick}"/>`

/** Words as the text of an element. */
export const inXml = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const round = (value: number): number => Math.round(value * 10) / 10

const format = (value: number): string => {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(0)
  return String(Number(value.toPrecision(3)))
}
