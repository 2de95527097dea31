import { fromHex, type Hex, type Logger, sha256Hex, utf8 } from '#primitives'
import { type Duty, duties, type Ledger, operatorOf } from '#protocol'
import {
  encode,
  encodeTransaction,
  type L1View,
  type NonceCommitment,
  type OperatorId,
  type Report,
  reportDigest,
  type Session,
  type Statement,
  statementCodec,
  type Task,
  type Verdict,
} from '#records'

/** What one operator can answer duties with. */
export type Answers = {
  /** The result of a task and the salt that blinds it, once there; starts the work when it is not. */
  readonly resultOf: (task: Task) => { readonly result: Uint8Array; readonly salt: Hex } | undefined
  /** Its blinded digest. */
  readonly digestOf: (task: Task) => Hex | undefined
  readonly nonces: (fromIndex: number, count: number) => readonly NonceCommitment[]
  readonly shareOf: (session: Session) => Hex | undefined
  /** What it sees of L1, at most so many events ahead of the agreed ones. */
  readonly viewAfter: (agreedEvents: number, agreedDigest: Hex) => L1View
}

/** Blocks after which a report that is not committed is sent again. */
const resendBlocks = 5

/**
 * Speaks for one operator: turns its duties into one report, rebuilt from committed state after every
 * block, and sent again until the ledger holds it. Other content takes another sequence.
 */
export class Reporter {
  readonly #operator: OperatorId
  readonly #instance: Hex
  readonly #answers: Answers
  readonly #sign: (digest: Hex) => Hex
  readonly #submit: (bytes: Uint8Array) => Promise<Verdict>
  readonly #nowMs: () => number
  readonly #logger: Logger
  #lastSequence = 0
  #last: { readonly content: Hex; readonly bytes: Uint8Array; readonly height: number } | undefined

  constructor(options: {
    readonly operator: OperatorId
    /** Fresh random bytes of this start. */
    readonly instance: Hex
    readonly answers: Answers
    /** r ‖ s ‖ v by the ledger key. */
    readonly sign: (digest: Hex) => Hex
    readonly submit: (bytes: Uint8Array) => Promise<Verdict>
    readonly nowMs: () => number
    readonly logger: Logger
  }) {
    this.#operator = options.operator
    this.#instance = options.instance
    this.#answers = options.answers
    this.#sign = options.sign
    this.#submit = options.submit
    this.#nowMs = options.nowMs
    this.#logger = options.logger
  }

  /** Says what is due now, unless it was said and is on its way. */
  async speak(ledger: Ledger, height: number): Promise<void> {
    const me = operatorOf(ledger, this.#operator)
    if (!me) return
    const due = duties(ledger, this.#operator, this.#nowMs())
    const statements = due.flatMap((duty) => this.#answer(duty, me.view, me.instance))
    if (statements.length === 0 && me.instance === this.#instance) return
    const content = sha256Hex(
      ...statements.map((one) => encode(statementCodec, one)),
      utf8(me.instance),
    )
    const last = this.#last
    if (last?.content === content && height - last.height < resendBlocks) return
    const bytes =
      last?.content === content ? last.bytes : this.#build(ledger, me.sequence, statements)
    this.#last = { content, bytes, height }
    const verdict = await this.#submit(bytes)
    if (!verdict.ok && verdict.reason !== 'StaleSequence')
      this.#logger.warn('own report refused', { reason: verdict.reason })
  }

  #build(ledger: Ledger, sequence: number, statements: readonly Statement[]): Uint8Array {
    // Starting from the clock keeps sequences rising across restarts.
    this.#lastSequence = Math.max(this.#lastSequence + 1, sequence + 1, this.#nowMs())
    const report: Report = {
      network: ledger.constants.network,
      operator: this.#operator,
      sequence: this.#lastSequence,
      instance: this.#instance,
      statements,
    }
    const signature = this.#sign(reportDigest(report))
    return encodeTransaction({ kind: 'report', report, signature })
  }

  #answer(duty: Duty, reported: L1View, instance: Hex): readonly Statement[] {
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
        // Before the ledger knows this instance its indices would be counted from the old one's.
        const fromIndex = instance === this.#instance ? duty.fromIndex : 0
        return [{ kind: 'nonces', commitments: this.#answers.nonces(fromIndex, duty.count) }]
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
      case 'submit':
      case 'deliver':
        return [] // done on L1, not said to the ledger
    }
  }
}

/** Salt of a result: only the operator can derive it, and a restart finds it again. */
export const resultSalt = (secret: Uint8Array, task: Hex, attempt: number): Hex =>
  sha256Hex(utf8('NodeOP result salt'), secret, fromHex(task), new Uint8Array([attempt]))
