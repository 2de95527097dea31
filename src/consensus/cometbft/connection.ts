import type { Socket } from 'node:net'
import { DomainError } from '#primitives'
import { BadFrameError, FrameReader } from './frames.ts'
import { type Asked, decodeRequest, encodeAnswer } from './messages.ts'
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

/** Questions that may wait for their answers; more are read when these are answered. */
const maxWaiting = 4096

/** Questions that are taken up at a time: other connections have their turn in between. */
const maxAtOnce = 16

/** Answers what comes over one socket until it ends. */
export function serveConnection(
  socket: Socket,
  session: Session,
  onEnd: (end: ConnectionEnd) => void,
): void {
  new Connection(socket, session, onEnd)
}

class Connection implements Asker {
  readonly #socket: Socket
  readonly #session: Session
  readonly #reader = new FrameReader()
  readonly #outbox: Outbox
  readonly #onEnd: (end: ConnectionEnd) => void
  /** What was received and is not taken up yet. */
  #frames: Iterator<Uint8Array, void> | undefined
  #isOver = false
  #isResting = false

  constructor(socket: Socket, session: Session, onEnd: (end: ConnectionEnd) => void) {
    this.#socket = socket
    this.#session = session
    this.#onEnd = onEnd
    this.#outbox = new Outbox(socket, () => this.#takeUp())
    socket.on('data', ({ buffer, byteOffset, length }: Buffer) => {
      // No Buffer, of which a slice would be no copy.
      this.#frames = this.#reader.read(new Uint8Array(buffer, byteOffset, length))
      this.#takeUp()
    })
    socket.on('end', () => this.#ended())
    socket.on('error', () => {}) // its close follows
    socket.on('close', () => this.#finish({ message: 'closed' }))
  }

  get isOpen(): boolean {
    return !this.#isOver && !this.#socket.destroyed
  }

  /** Takes up what was received; the socket rests until that is done. */
  #takeUp(): void {
    if (this.#isOver || this.#isResting || !this.#frames) return
    try {
      for (let taken = 0; taken < maxAtOnce; taken++) {
        if (this.#outbox.waiting >= maxWaiting) return void this.#socket.pause()
        const { done, value } = this.#frames.next()
        if (done === true) {
          this.#frames = undefined
          this.#socket.resume()
          return
        }
        this.#ask(decodeRequest(value))
      }
    } catch (error) {
      this.#refuse(error)
      return
    }
    this.#socket.pause()
    this.#isResting = true
    setImmediate(() => {
      this.#isResting = false
      this.#takeUp()
    })
  }

  #ask(asked: Asked): void {
    const place = this.#outbox.takePlace()
    this.#session.answer(asked, this).then(
      (answer) => place(encodeAnswer(answer)),
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
    this.#onEnd(end)
  }
}
