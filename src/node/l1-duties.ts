import type { Clock, Hex, Logger } from '#primitives'
import { type Duty, duties, type Ledger } from '#protocol'
import type { CheckpointRecord, Leaf, OperatorId } from '#records'

/** What came of an attempt to act on L1; everything but `failed` is an end. */
export type L1Outcome = 'done' | 'already' | 'too-early' | 'failed'

/** What an operator does on L1, with its own account. */
export type L1Actions = {
  readonly submit: (entry: CheckpointRecord) => Promise<L1Outcome>
  readonly deliver: (
    leaves: readonly Leaf[],
    siblings: readonly (readonly Hex[])[],
    entry: CheckpointRecord,
  ) => Promise<L1Outcome>
}

/** Which duties an operator does; a devnet's chaos suspends some. */
export type L1Switches = { readonly submits: (entry: CheckpointRecord) => boolean }

/** How long after its window opens an operator outside the owners waits, by its id, not to race. */
const strangerStaggerMs = 1_000
/** Looks at the duties this often besides after every block. */
const tickMs = 250

/**
 * Carries out what one operator owes on L1: one submission and one delivery at a time, always for the
 * newest state. Nothing is kept: the ledger says what is still owed.
 */
export class L1Worker {
  readonly #operator: OperatorId
  readonly #ledger: () => Ledger
  readonly #actions: L1Actions
  readonly #switches: L1Switches
  readonly #prove: (leafIndex: number, size: number) => readonly Hex[]
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #busy = new Set<Duty['kind']>()
  #cancelTick = () => {}
  #running = false

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
    this.#running = true
    this.#tick()
  }

  stop(): void {
    this.#running = false
    this.#cancelTick()
  }

  /** Starts what is owed now and not yet under way. */
  look(): void {
    if (!this.#running) return
    const nowMs = this.#clock.nowMs()
    for (const duty of duties(this.#ledger(), this.#operator, nowMs)) {
      const isMine = duty.kind === 'submit' && this.#switches.submits(duty.entry)
      if (isMine && this.#mayTry(duty.entry, duty.place, nowMs))
        this.#carryOut('submit', () => this.#actions.submit(duty.entry))
      if (duty.kind === 'deliver') this.#carryOut('deliver', () => this.#deliver(duty))
    }
  }

  #tick(): void {
    if (!this.#running) return
    this.look()
    this.#cancelTick = this.#clock.after(tickMs, () => this.#tick())
  }

  /** Whether this operator's window is open; those outside the owners come one after another. */
  #mayTry({ checkpoint }: CheckpointRecord, place: number, nowMs: number): boolean {
    const { startS, windowS, submitters } = checkpoint
    const opensMs = (startS + place * windowS) * 1000
    const isOwner = submitters[place] === this.#operator
    const waitMs = isOwner ? 0 : this.#operator * strangerStaggerMs
    return nowMs >= opensMs + waitMs
  }

  #deliver({ leaves, entry }: Duty & { kind: 'deliver' }): Promise<L1Outcome> {
    const { size } = entry.checkpoint
    const siblings = leaves.map(({ index }) => this.#prove(index, size))
    return this.#actions.deliver(leaves, siblings, entry)
  }

  #carryOut(kind: 'submit' | 'deliver', act: () => Promise<L1Outcome>): void {
    if (this.#busy.has(kind)) return
    this.#busy.add(kind)
    act()
      .catch((error: unknown) => {
        this.#logger.warn(`${kind} failed`, { error: String(error) })
        return 'failed' as const
      })
      .then((outcome) => {
        this.#busy.delete(kind)
        this.#logger.debug(`${kind} ended`, { outcome })
      })
  }
}
