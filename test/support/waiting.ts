// Waiting for what must come: woken by every block, or looking again and again where nothing tells,
// with a limit that only keeps a failure from hanging.
import { setTimeout as pass } from 'node:timers/promises'
import type { RunningOperator } from '#node'
import type { Ledger } from '#protocol'

/** Far beyond what anything takes on a busy machine. */
export const patienceMs = 600_000

/** The same promise; rejects when it has not come after a long time, naming what did not. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const limit = Promise.withResolvers<never>()
  const timer = setTimeout(() => limit.reject(inVain(what)), patienceMs)
  try {
    return await Promise.race([promise, limit.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves once it is so; looks ten times a second. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw inVain(what)
    await pass(lookMs)
  }
}

const lookMs = 100

const inVain = (what: string): Error =>
  new Error(`waited ${patienceMs / 1_000} s in vain for ${what}`)

/** Resolves once an operator's ledger is as wanted: looks now, and after every block. */
export function until(
  operator: RunningOperator,
  what: string,
  holds: (ledger: Ledger, height: number) => boolean,
): Promise<void> {
  const { application, engine } = operator
  const isSo = () => holds(application.ledger, application.height)
  const waiting = new Promise<void>((resolve) => {
    if (isSo()) return resolve()
    const stop = engine.onDecided(() => {
      if (!isSo()) return
      stop()
      resolve()
    })
  })
  return within(`${what} at operator ${operator.id}`, waiting)
}

/** Resolves once an operator has committed a height. */
export const reached = (operator: RunningOperator, height: number): Promise<void> =>
  until(operator, `height ${height}`, (_, at) => at >= height)
