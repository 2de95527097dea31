import type { Socket } from 'node:net'
import { DomainError } from '#primitives'
import { Fifo } from './fifo.ts'
import { BadFrameError, FrameReader } from './frames.ts'
import { busyCheck } from './mempool-calls.ts'
import { CheckTxType } from './messages/abci_pb.ts'
import { type Answer, type Asked, decodeRequest, encodeAnswer } from './messages.ts'
import { Outbox } from './outbox.ts'
import type { Asker, Session } from './session.ts'

/**
 * Why a connection is over: the code of what went wrong; none when the other side has closed it.
 */
export type ConnectionEnd = {
  readonly reason?: string
  readonly message: string
  /** What was thrown. */
  readonly error?: unknown
}

/**
 * Transactions that wait for their check: some tenths of a second of work. CometBFT waits for all
 * of them before each commit.
 */
const maxChecks = 1024

/**
 * Questions that may wait for their answers; more are read when these are answered. That bounds no
 * bytes, a chunk of a snapshot being megabytes: where answers are not read, nothing is taken up.
 */
const maxWaiting = 65_536

/** Questions that are taken up at a time: other connections have their turn in between. */
const maxAtOnce = 16

/**
 * Answers what comes over one socket until it ends.
 *
 * Everything is read as it comes. CometBFT hands a transaction over in the same routine that
 * receives its peer's votes, and that routine stands still while its queue to us is full: so what
 * is more than can be checked is refused at once, and no vote waits for it. Reading stops only as
 * long as CometBFT leaves answers unread, which it takes in another routine than it asks in.
 */
export function serveConnection(
  socket: Socket,
  session: Session,
  onEnd: (end: ConnectionEnd) => void,
): void {
  new Connection(socket, session, onEnd)
}

/** A question that is not taken up yet, and where its answer goes. */
type Question = { readonly asked: Asked; readonly place: (frame: Uint8Array) => void }

class Connection implements Asker {
  readonly #socket: Socket
  readonly #session: Session
  readonly #reader = new FrameReader()
  readonly #outbox: Outbox
  readonly #onEnd: (end: ConnectionEnd) => void
  /** What was received and is not taken up yet. */
  readonly #questions = new Fifo<Question>()
  /** New transactions whose check is not done. */
  #checks = 0
  #isOver = false
  #isResting = false

  constructor(socket: Socket, session: Session, onEnd: (end: ConnectionEnd) => void) {
    this.#socket = socket
    this.#session = session
    this.#onEnd = onEnd
    this.#outbox = new Outbox(socket, () => this.#goOn())
    socket.on('data', ({ buffer, byteOffset, length }: Buffer) =>
      // No Buffer, of which a slice would be no copy.
      this.#receive(new Uint8Array(buffer, byteOffset, length)),
    )
    socket.on('drain', () => this.#goOn())
    socket.on('end', () => this.#ended())
    socket.on('error', () => {}) // its close follows
    socket.on('close', () => this.#finish({ message: 'closed' }))
  }

  get isOpen(): boolean {
    return !this.#isOver && !this.#socket.destroyed
  }

  #receive(chunk: Uint8Array): void {
    if (this.#isOver) return
    try {
      for (const frame of this.#reader.read(chunk)) this.#queue(decodeRequest(frame))
    } catch (error) {
      this.#refuse(error)
      return
    }
    this.#goOn()
  }

  /** Reads and takes up more, as far as there is room for it. */
  #goOn(): void {
    if (this.#isOver) return
    if (this.#isUnread || this.#outbox.waiting >= maxWaiting) this.#socket.pause()
    else this.#socket.resume()
    this.#takeUp()
  }

  /** Whether answers lie here that CometBFT has not read. */
  get #isUnread(): boolean {
    return this.#socket.writableNeedDrain
  }

  #queue(asked: Asked): void {
    const place = this.#outbox.takePlace()
    const refusal = refusalWhenBusy(asked)
    if (refusal && this.#checks >= maxChecks) {
      place(encodeAnswer(refusal))
      return
    }
    if (refusal) this.#checks++
    this.#questions.add({ asked, place })
  }

  /** Takes up some of what waits; the rest after the other connections have had their turn. */
  #takeUp(): void {
    if (!this.isOpen || this.#isResting || this.#isUnread) return
    for (let taken = 0; taken < maxAtOnce; taken++) {
      const question = this.#questions.take()
      if (!question) return
      this.#ask(question)
    }
    if (this.#questions.size === 0) return
    this.#isResting = true
    setImmediate(() => {
      this.#isResting = false
      this.#takeUp()
    })
  }

  #ask({ asked, place }: Question): void {
    this.#session.answer(asked, this).then(
      (answer) => {
        if (refusalWhenBusy(asked)) this.#checks--
        place(encodeAnswer(answer))
      },
      (error: unknown) => this.#refuse(error),
    )
  }

  /** Says why, and ends: CometBFT logs the words and stops. */
  #refuse(error: unknown): void {
    if (this.#isOver) return
    const reason = error instanceof DomainError ? error.code : 'ApplicationFailed'
    const message = error instanceof Error ? error.message : String(error)
    this.#socket.end(encodeAnswer({ case: 'exception', value: { error: `${reason}: ${message}` } }))
    this.#finish({ reason, message, error })
    this.#socket.resume() // what still comes is dropped
  }

  #ended(): void {
    if (!this.#reader.isBetween)
      this.#refuse(new BadFrameError('the stream ends inside a message', {}))
  }

  #finish(end: ConnectionEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#session.left()
    this.#onEnd(end)
  }
}

/**
 * What to say of a new transaction when too many wait already; undefined of other questions. Of one
 * that it holds, CometBFT asks seldom, and at no cost.
 */
function refusalWhenBusy({ case: kind, value }: Asked): Answer | undefined {
  return kind === 'checkTx' && value.type !== CheckTxType.RECHECK ? busyCheck : undefined
}
