import type { Dual } from './dual.ts'
import { columnPrice } from './frame.ts'
import { charge } from './work.ts'

/**
 * Product of the dual's second derivative (of the last sweep) with a vector of column prices. Each
 * operator's own price answers at once, which takes the weighted mean of its row off.
 */
export function multiply(dual: Dual, v: Float64Array, into: Float64Array): void {
  const { frame } = dual
  charge(dual.work, (dual.activeStart[frame.operators] as number) + frame.columns)
  into.fill(0)
  if (frame.isPlain) multiplyUnit(dual, v, into)
  else if (frame.columns === frame.tasks && frame.resources.length === 1)
    multiplyPlain(dual, v, into)
  else multiplyGeneral(dual, v, into)
}

/** Where every unit of work takes one of the only resource. */
function multiplyUnit(dual: Dual, v: Float64Array, into: Float64Array): void {
  const { frame, activeStart, activeTask, activeInverse, pivot } = dual
  for (let i = 0; i < frame.operators; i++) {
    const first = activeStart[i] as number
    const end = activeStart[i + 1] as number
    const own = pivot[i] as number
    let answer = 0
    if (own > 0) {
      for (let e = first; e < end; e++)
        answer += (activeInverse[e] as number) * (v[activeTask[e] as number] as number)
      answer *= own
    }
    for (let e = first; e < end; e++) {
      const t = activeTask[e] as number
      const net = (v[t] as number) - answer
      into[t] = (into[t] as number) + (activeInverse[e] as number) * net
    }
  }
}

function multiplyPlain(dual: Dual, v: Float64Array, into: Float64Array): void {
  const { frame, activeStart, activeTask, activeInverse, activeUse, pivot } = dual
  for (let i = 0; i < frame.operators; i++) {
    const first = activeStart[i] as number
    const end = activeStart[i + 1] as number
    let answer = 0
    const own = pivot[i] as number
    if (own > 0) {
      for (let e = first; e < end; e++)
        answer +=
          (activeUse[e] as number) *
          (activeInverse[e] as number) *
          (v[activeTask[e] as number] as number)
      answer *= own
    }
    for (let e = first; e < end; e++) {
      const t = activeTask[e] as number
      const net = (v[t] as number) - (activeUse[e] as number) * answer
      into[t] = (into[t] as number) + (activeInverse[e] as number) * net
    }
  }
}

function multiplyGeneral(dual: Dual, v: Float64Array, into: Float64Array): void {
  const { frame, edges, activeStart, activeTask, activeInverse, activeUse, pivot } = dual
  const k = frame.resources.length
  const { count: room } = edges
  const answer = new Float64Array(k)
  const load = new Float64Array(k)
  for (let i = 0; i < frame.operators; i++) {
    const first = activeStart[i] as number
    const end = activeStart[i + 1] as number
    load.fill(0)
    for (let e = first; e < end; e++) {
      const moved = (activeInverse[e] as number) * columnPrice(frame, v, i, activeTask[e] as number)
      for (let r = 0; r < k; r++)
        load[r] = (load[r] as number) + (activeUse[r * room + e] as number) * moved
    }
    for (let r = 0; r < k; r++) {
      let sum = 0
      for (let c = 0; c < k; c++)
        sum += (pivot[(i * k + r) * k + c] as number) * (load[c] as number)
      answer[r] = sum
    }
    for (let e = first; e < end; e++) {
      const t = activeTask[e] as number
      let net = columnPrice(frame, v, i, t)
      for (let r = 0; r < k; r++) net -= (activeUse[r * room + e] as number) * (answer[r] as number)
      spread(dual, into, i, t, (activeInverse[e] as number) * net)
    }
  }
}

function spread({ frame }: Dual, into: Float64Array, i: number, t: number, x: number): void {
  const { stake, floor, securityAt, groupOf, groupAt, tasks } = frame
  into[t] = (into[t] as number) + x
  if (stake) {
    const c = securityAt + t
    into[c] = (into[c] as number) - x * ((stake[i] as number) - (floor[t] as number))
  }
  const group = groupOf ? (groupOf[i] as number) : -1
  if (group >= 0) {
    const c = groupAt + group * tasks + t
    into[c] = (into[c] as number) + x
  }
}

/** Adds the diagonal of the second derivative. */
export function addDiagonal(dual: Dual, diagonal: Float64Array): void {
  const { frame } = dual
  charge(dual.work, (dual.activeStart[frame.operators] as number) + frame.columns)
  const isPlain = frame.columns === frame.tasks && frame.resources.length === 1
  if (isPlain) addPlainDiagonal(dual, diagonal)
  else addGeneralDiagonal(dual, diagonal)
}

function addPlainDiagonal(dual: Dual, diagonal: Float64Array): void {
  const { frame, activeStart, activeTask, activeInverse, activeUse, pivot } = dual
  for (let i = 0; i < frame.operators; i++) {
    const own = pivot[i] as number
    for (let e = activeStart[i] as number, end = activeStart[i + 1] as number; e < end; e++) {
      const w = activeInverse[e] as number
      const a = frame.isPlain ? 1 : (activeUse[e] as number)
      const t = activeTask[e] as number
      diagonal[t] = (diagonal[t] as number) + w * Math.max(1 - w * a * a * own, 0)
    }
  }
}

function addGeneralDiagonal(dual: Dual, diagonal: Float64Array): void {
  const { frame, edges, activeStart, activeTask, activeInverse, activeUse, pivot } = dual
  const { stake, floor, securityAt, groupOf, groupAt, tasks } = frame
  const k = frame.resources.length
  const isPlain = frame.columns === tasks
  for (let i = 0; i < frame.operators; i++)
    for (let e = activeStart[i] as number, end = activeStart[i + 1] as number; e < end; e++) {
      const w = activeInverse[e] as number
      let answer = 0
      for (let r = 0; r < k; r++)
        for (let c = 0; c < k; c++)
          answer +=
            (pivot[(i * k + r) * k + c] as number) *
            (activeUse[r * edges.count + e] as number) *
            (activeUse[c * edges.count + e] as number)
      const t = activeTask[e] as number
      const own = w * Math.max(1 - w * answer, 0)
      diagonal[t] = (diagonal[t] as number) + own
      if (isPlain) continue
      if (stake) {
        const coefficient = (stake[i] as number) - (floor[t] as number)
        const c = securityAt + t
        diagonal[c] = (diagonal[c] as number) + own * coefficient * coefficient
      }
      const group = groupOf ? (groupOf[i] as number) : -1
      if (group >= 0) {
        const c = groupAt + group * tasks + t
        diagonal[c] = (diagonal[c] as number) + own
      }
    }
}
