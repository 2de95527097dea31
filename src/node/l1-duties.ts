import { type Clock, type Hex, type Logger, setBounded } from '#primitives'
import { type Duty, duties, type Ledger } from '#protocol'
import type { CheckpointRecord, Leaf, OperatorId } from '#records'

/** What came of bringing a checkpoint to L1: `done` and `already` mean that it stands there. */
export type L1Outcome = 'done' | 'already' | 'too-early' | 'failed'

/** What an operator does on L1, with its own account. */
export type L1Actions = {
  readonly submit: (entry: CheckpointRecord) => Promise<L1Outcome>
  /** @returns the indices of those leaves that L1 has executed, by us or by others. */
  readonly deliver: (
    leaves: readonly Leaf[],
    siblings: readonly (readonly Hex[])[],
    entry: CheckpointRecord,
  ) => Promise<ReadonlySet<number>>
}

/** Which duties an operator does; a devnet's chaos suspends some. */
export type L1Switches = { readonly submits: (entry: CheckpointRecord) => boolean }

/**
 * Operators outside the owners come one after another, not to race: so long apart, in so many
 * turns.
 */
const strangerStaggerMs = 1_000
const strangerTurns = 16
/** Looks at the duties this often besides after every block. */
const tickMs = 250
/**
 * What L1 has shown to be done is not done again for so long, while the ledger has yet to hear of
 * it; after that L1 may have forgotten it.
 */
const believedMs = 20_000
/** Leaves remembered as done. */
const maxBelieved = 4096
/** Pause after a failure; it doubles up to half a window. */
const firstPauseMs = 250
const longestPauseMs = 2_000

type Kind = 'submit' | 'deliver'

/**
 * Carries out what one operator owes on L1: one submission and one delivery at a time, always for
 * the newest state. One that is under way when a newer certificate comes is left to end: whatever
 * lands makes room for the next. What is owed is the ledger's to say; kept here is only when to try
 * again.
 */
export class L1Worker {
  readonly #operator: OperatorId
  readonly #ledger: () => Ledger
  readonly #actions: L1Actions
  readonly #switches: L1Switches
  readonly #prove: (leafIndex: number, size: number) => readonly Hex[]
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #busy = new Set<Kind>()
  readonly #pauses = new Map<Kind, { readonly failures: number; readonly untilMs: number }>()
  /** Newest checkpoint that stands on L1, and leaves that are executed, as we saw it. */
  #landed = { index: 0, untilMs: 0 }
  readonly #executed = new Map<number, number>()
  #cancelTick = () => {}
  #isRunning = false

  constructor(options: {
    readonly operator: OperatorId
    readonly ledger: () => Ledger
    readonly actions: L1Actions
    readonly switches: L1Switches
    readonly prove: (leafIndex: number, size: number) => readonly Hex[]
    readonly clock: Clock
    readonly logger: Logger
  }) {
    this.#operator = options.operator
    this.#ledger = options.ledger
    this.#actions = options.actions
    this.#switches = options.switches
    this.#prove = options.prove
    this.#clock = options.clock
    this.#logger = options.logger
  }

  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#tick()
  }

  /** Starts nothing more; what is under way ends by itself. */
  stop(): void {
    this.#isRunning = false
    this.#cancelTick()
  }

  /** Starts what is owed now and not yet under way. */
  look(): void {
    if (!this.#isRunning) return
    const nowMs = this.#clock.nowMs()
    for (const duty of duties(this.#ledger(), this.#operator, nowMs)) {
      if (duty.kind === 'submit') this.#submit(duty, nowMs)
      if (duty.kind === 'deliver') this.#deliver(duty, nowMs)
    }
  }

  #tick(): void {
    if (!this.#isRunning) return
    this.look()
    this.#cancelTick = this.#clock.after(tickMs, () => this.#tick())
  }

  #submit({ entry, place }: Duty & { kind: 'submit' }, nowMs: number): void {
    const { index } = entry.checkpoint
    const stands = index <= this.#landed.index && nowMs < this.#landed.untilMs
    if (stands || !this.#switches.submits(entry) || nowMs < this.#turnMs(entry, place)) return
    this.#carryOut('submit', async () => {
      const outcome = await this.#actions.submit(entry)
      const isThere = outcome === 'done' || outcome === 'already'
      if (isThere) this.#landed = { index, untilMs: this.#clock.nowMs() + believedMs }
      return isThere
    })
  }

  /** When this operator's window opens; those outside the owners come one after another. */
  #turnMs({ checkpoint }: CheckpointRecord, place: number): number {
    const { startS, windowS, submitters, index } = checkpoint
    const opensMs = (startS + place * windowS) * 1000
    if (place < submitters.length) return opensMs
    return opensMs + ((this.#operator + index) % strangerTurns) * strangerStaggerMs
  }

  #deliver({ leaves, entry }: Duty & { kind: 'deliver' }, nowMs: number): void {
    const open = leaves.filter(({ index }) => nowMs >= (this.#executed.get(index) ?? 0))
    if (open.length === 0) return
    this.#carryOut('deliver', async () => {
      const { size } = entry.checkpoint
      const siblings = open.map(({ index }) => this.#prove(index, size))
      const executed = await this.#actions.deliver(open, siblings, entry)
      const untilMs = this.#clock.nowMs() + believedMs
      for (const index of executed) setBounded(this.#executed, index, untilMs, maxBelieved)
      return executed.size === open.length
    })
  }

  /** @param act - whether nothing is left to do. */
  #carryOut(kind: Kind, act: () => Promise<boolean>): void {
    const pause = this.#pauses.get(kind)
    if (this.#busy.has(kind) || this.#clock.nowMs() < (pause?.untilMs ?? 0)) return
    this.#busy.add(kind)
    void this.#settle(kind, act)
  }

  async #settle(kind: Kind, act: () => Promise<boolean>): Promise<void> {
    try {
      if (await act()) this.#pauses.delete(kind)
      else this.#pause(kind)
    } catch (error) {
      this.#logger.warn(`${kind} failed`, { error })
      this.#pause(kind)
    }
    this.#busy.delete(kind)
  }

  #pause(kind: Kind): void {
    const failures = (this.#pauses.get(kind)?.failures ?? 0) + 1
    const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(failures - 1, 10), longestPauseMs)
    this.#pauses.set(kind, { failures, untilMs: this.#clock.nowMs() + pauseMs })
  }
}
