import type { Task } from '#records'
import type { Chance } from './chance.ts'
import type { ScenarioService, Traits } from './scenario.ts'
import { encodeResult } from './virtual-service.ts'

/** One place that an operator fills: from when on it can commit, and what it will reveal. */
type Work = { readonly readyMs: number; readonly result: Uint8Array }

/** How many times the truth a liar reports. */
const lieFactor = 10n

/** Part of its usual time by which a piece of work is faster or slower at most. */
const jitter = 0.2

/** What one operator is like now, and the work that lies before it. */
export class Desk {
  traits: Traits
  isMember: boolean
  isOnline = true
  /** What its work has cost so far, in a scenario's money. */
  spent = 0
  readonly #name: string
  readonly #epochMs: number
  readonly #chance: Chance
  readonly #works = new Map<string, Work>()
  #freeMs = 0

  constructor(
    operator: Traits & { readonly name: string; readonly joins: number },
    epochMs: number,
    chance: Chance,
  ) {
    this.traits = operator
    this.isMember = operator.joins === 0
    this.#name = operator.name
    this.#epochMs = epochMs
    this.#chance = chance
  }

  /**
   * Its work on one attempt of a task; begins it when it hears of it first.
   *
   * @param isCaptured - whether those who collude decide what the committee comes to.
   */
  workOn(task: Task, service: ScenarioService, nowMs: number, isCaptured: boolean): Work {
    const key = `${task.id}/${task.attempt}`
    const known = this.#works.get(key)
    if (known) return known
    const work = this.#begin(task, service, nowMs, isCaptured)
    this.#works.set(key, work)
    return work
  }

  /** Drops what it knows of a task that has ended. */
  forget(task: Task): void {
    for (let attempt = 1; attempt <= task.attempt; attempt++)
      this.#works.delete(`${task.id}/${attempt}`)
  }

  #begin(task: Task, service: ScenarioService, nowMs: number, isCaptured: boolean): Work {
    const { failure, lie, collude, capacity, speedMs, cost } = this.traits
    const draw = (what: string) => this.#chance(`${this.#name} ${task.id} ${task.attempt} ${what}`)
    const truth = truthOf(task, this.#chance)
    const noise = (service.noiseBps / 10_000) * (2 * draw('noise') - 1)
    const honest = BigInt(Math.round(truth * (1 + noise)))
    const isLie =
      draw('lie') < lie || (isCaptured && this.#chance(`collusion on ${task.id}`) < collude)
    const result = encodeResult(isLie ? honest * lieFactor : honest)
    if (draw('failure') < failure || capacity === 0) return { readyMs: Infinity, result }
    const beginMs = Math.max(nowMs, this.#freeMs)
    this.#freeMs = beginMs + this.#epochMs / capacity
    this.spent += cost
    return { readyMs: beginMs + speedMs * (1 + jitter * (2 * draw('speed') - 1)), result }
  }
}

/** What a task's result should be: some number of seven digits. */
const truthOf = ({ id }: Task, chance: Chance): number =>
  1_000_000 + Math.floor(8_000_000 * chance(`truth of ${id}`))
