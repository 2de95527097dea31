import { type Hex, type Logger, sha256Hex, utf8 } from '#primitives'
import { type Competition, type Duty, duties, type Ledger, operatorOf } from '#protocol'
import {
  type AllocationProposal,
  type Declaration,
  encode,
  encodeTransaction,
  isSameDeclaration,
  type L1View,
  maxStatements,
  type NonceCommitment,
  type Operator,
  type OperatorId,
  type Report,
  reportDigest,
  type Session,
  type Statement,
  statementCodec,
  type Task,
  type Verdict,
} from '#records'
import type { SignOutcome } from './guard/clerk.ts'
import { maxReportBytes } from './mempool.ts'

/** What one operator can answer duties with. */
export type Answers = {
  /**
   * The result of a task and the salt that blinds it, once there; starts the work when it is not.
   */
  readonly resultOf: (task: Task) => { readonly result: Uint8Array; readonly salt: Hex } | undefined
  /** Its blinded digest. */
  readonly digestOf: (task: Task) => Hex | undefined
  readonly nonces: (fromIndex: number, count: number) => readonly NonceCommitment[]
  readonly shareOf: (session: Session) => Hex | undefined
  /** A proposal for an epoch's allocation, once there; starts solving when it is not. */
  readonly allocationOf: (competition: Competition) => AllocationProposal | undefined
  /** What it sees of L1, at most so many events ahead of the agreed ones. */
  readonly viewAfter: (agreedEvents: number, agreedDigest: Hex) => L1View
}

/**
 * Blocks after which a report that is not committed is sent again; after a refusal, in the next.
 */
const resendBlocks = 5

/** Earlier instances that are told apart from newer ones. */
const maxEarlier = 64

/** What was said last, and how it went. */
type Said = {
  readonly content: Hex
  /** Undefined when the sign guard refused. */
  readonly bytes: Promise<Uint8Array | undefined>
  readonly sequence: number
  readonly height: number
  isRefused: boolean
}

/**
 * Speaks for one operator: turns its duties into one report, rebuilt from committed state after
 * every block, and sent again until the ledger holds it. Other content takes another sequence. When
 * the ledger has taken reports of this instance, and then one of an instance that came after it,
 * this one is superseded and falls silent for good.
 */
export class Reporter {
  readonly #operator: OperatorId
  readonly #instance: Hex
  readonly #answers: Answers
  readonly #nextSequence: (atLeast: number) => number
  readonly #sign: (sequence: number, digest: Hex) => Promise<SignOutcome>
  readonly #submit: (bytes: Uint8Array) => Promise<Verdict>
  readonly #declares: Declaration | undefined
  readonly #onSuperseded: (by: Hex) => void
  readonly #nowMs: () => number
  readonly #logger: Logger
  /** Instances that the ledger held before it first held this one. */
  readonly #earlier: Hex[] = []
  #isKnown = false
  #isSuperseded = false
  #last: Said | undefined

  constructor(options: {
    readonly operator: OperatorId
    /** Fresh random bytes of this start. */
    readonly instance: Hex
    readonly answers: Answers
    /** r ‖ s ‖ v by the ledger key. */
    readonly sign: (sequence: number, digest: Hex) => Promise<SignOutcome>
    /** A sequence that was never signed, and is at least this. */
    readonly nextSequence: (atLeast: number) => number
    readonly submit: (bytes: Uint8Array) => Promise<Verdict>
    /** What it says of itself, as soon as the ledger holds anything else. */
    readonly declares?: Declaration | undefined
    /** Told once, when a newer instance of this operator speaks. */
    readonly onSuperseded: (by: Hex) => void
    readonly nowMs: () => number
    readonly logger: Logger
  }) {
    this.#operator = options.operator
    this.#instance = options.instance
    this.#answers = options.answers
    this.#nextSequence = options.nextSequence
    this.#sign = options.sign
    this.#submit = options.submit
    this.#declares = options.declares
    this.#onSuperseded = options.onSuperseded
    this.#nowMs = options.nowMs
    this.#logger = options.logger
  }

  /**
   * Says what is due now, unless it was said and is on its way. What is said is fixed before
   * anything is awaited, so that calls may overlap.
   */
  async speak(ledger: Ledger, height: number): Promise<void> {
    const me = operatorOf(ledger, this.#operator)
    if (!me || this.#mustBeSilent(me.instance)) return
    const due = duties(ledger, this.#operator, this.#nowMs())
    const answers = due.flatMap((duty) => this.#answer(duty, me.view))
    const statements = fitting([...answers, ...this.#declaration(me)])
    if (statements.length === 0 && me.instance === this.#instance) return
    const said = this.#next(ledger, me, statements, height)
    if (!said) return
    const wasRefused = this.#last?.isRefused === true
    this.#last = said
    const bytes = await said.bytes
    const verdict = bytes
      ? await this.#submit(bytes)
      : ({ ok: false, reason: 'SignRefused' } as const)
    if (verdict.ok) return
    said.isRefused = true
    const { reason } = verdict
    // An engine that has stopped says why itself.
    if (!wasRefused && reason !== 'EngineStopped')
      this.#logger.warn('own report refused', { reason, sequence: said.sequence })
  }

  /** What to send, if it is time: the same bytes while they can still be taken, else new ones. */
  #next(
    ledger: Ledger,
    { sequence, instance }: Operator,
    statements: readonly Statement[],
    height: number,
  ): Said | undefined {
    const content = sha256Hex(...statements.map(toBytes), utf8(instance))
    const last = this.#last
    const isSame = last?.content === content && last.sequence > sequence
    if (isSame && height - last.height < (last.isRefused ? 1 : resendBlocks)) return undefined
    if (isSame && !last.isRefused) return { ...last, height }
    return { ...this.#build(ledger, sequence, statements), content, height, isRefused: false }
  }

  #build(
    ledger: Ledger,
    taken: number,
    statements: readonly Statement[],
  ): Pick<Said, 'bytes' | 'sequence'> {
    // Starting from the clock keeps sequences rising where the guard was lost.
    const sequence = this.#nextSequence(Math.max(taken + 1, this.#nowMs()))
    const report: Report = {
      network: ledger.constants.network,
      operator: this.#operator,
      sequence,
      instance: this.#instance,
      statements,
    }
    const bytes = this.#sign(sequence, reportDigest(report)).then((signed) =>
      signed.ok
        ? encodeTransaction({ kind: 'report', report, signature: signed.signature })
        : undefined,
    )
    return { bytes, sequence }
  }

  /**
   * Whether a newer instance of this operator speaks. A report of an earlier one may still be on
   * its way when this one is first heard: it comes as no surprise.
   */
  #mustBeSilent(current: Hex): boolean {
    if (this.#isSuperseded) return true
    if (current === this.#instance) this.#isKnown = true
    else if (!this.#isKnown) this.#noteEarlier(current)
    else if (!this.#earlier.includes(current)) {
      this.#isSuperseded = true
      this.#onSuperseded(current)
    }
    return this.#isSuperseded
  }

  #noteEarlier(instance: Hex): void {
    if (this.#earlier.includes(instance)) return
    this.#earlier.push(instance)
    if (this.#earlier.length > maxEarlier) this.#earlier.shift()
  }

  #declaration({ declared }: Operator): readonly Statement[] {
    const declaration = this.#declares
    const isNews = declaration && !(declared && isSameDeclaration(declared, declaration))
    return isNews ? [{ kind: 'declare', declaration }] : []
  }

  #answer(duty: Duty, reported: L1View): readonly Statement[] {
    switch (duty.kind) {
      case 'execute': {
        const digest = this.#answers.digestOf(duty.task)
        const { id, attempt } = duty.task
        return digest ? [{ kind: 'commit', task: id, attempt, digest }] : []
      }
      case 'reveal': {
        const known = this.#answers.resultOf(duty.task)
        const { id, attempt } = duty.task
        return known ? [{ kind: 'reveal', task: id, attempt, ...known }] : []
      }
      case 'publish-nonces': {
        const commitments = this.#answers.nonces(duty.fromIndex, duty.count)
        return commitments.length > 0 ? [{ kind: 'nonces', commitments }] : []
      }
      case 'sign': {
        const share = this.#answers.shareOf(duty.session)
        const { checkpoint, attempt } = duty.session
        return share ? [{ kind: 'share', checkpoint, attempt, share }] : []
      }
      case 'vouch': {
        const view = this.#answers.viewAfter(duty.events, duty.digest)
        const isNew = view.digest !== reported.digest || view.fork !== reported.fork
        return isNew ? [{ kind: 'view', view }] : []
      }
      case 'solve': {
        const proposal = this.#answers.allocationOf(duty.competition)
        return proposal ? [{ kind: 'allocation', proposal }] : []
      }
      case 'submit':
      case 'deliver':
        return [] // done on L1, not said to the ledger
    }
  }
}

/**
 * The most urgent of what there is to say, as much as one report holds; the rest comes after it.
 */
function fitting(statements: readonly Statement[]): readonly Statement[] {
  let bytes = envelopeBytes
  const end = statements.slice(0, maxStatements).findIndex((one) => {
    bytes += statementOverheadBytes + toBytes(one).length
    return bytes > maxReportBytes
  })
  return statements.slice(0, end < 0 ? maxStatements : end)
}

const toBytes = (statement: Statement): Uint8Array => encode(statementCodec, statement)

/** Bytes of a report around its statements, and of the list around each, at most. */
const envelopeBytes = 512
const statementOverheadBytes = 16
