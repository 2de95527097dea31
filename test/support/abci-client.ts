import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { type AbciResponse, FrameReader, RequestSchema, ResponseSchema, toFrame } from '#consensus'

/** A question before it is encoded. */
export type Question = NonNullable<MessageInitShape<typeof RequestSchema>['value']>

/** The answers to a kind of question. */
export type AnswerOf<Case extends AbciResponse['value']['case']> = Extract<
  AbciResponse['value'],
  { readonly case: Case }
>['value']

/** The bytes of a question's frame. */
export const questionFrame = (value: Question): Uint8Array =>
  toFrame(toBinary(RequestSchema, create(RequestSchema, { value })))

/** One connection as CometBFT holds it: answers come in the order of the questions. */
export class AbciClient {
  readonly #socket: Socket
  readonly #waiting: ((answer: AbciResponse['value'] | undefined) => void)[] = []
  /** What the server said when it ended the connection. */
  exception: string | undefined
  /** Resolves with the connection's end. */
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.#socket = socket
    const reader = new FrameReader()
    socket.on('data', (chunk) => {
      for (const frame of reader.read(chunk)) this.#hear(fromBinary(ResponseSchema, frame).value)
    })
    socket.on('error', () => {}) // the close that follows counts
    this.closed = once(socket, 'close').then(() => {
      for (const answer of this.#waiting.splice(0)) answer(undefined)
    })
  }

  /** @param address - as the server names it. */
  static async connect(address: string): Promise<AbciClient> {
    const { protocol, port, pathname } = new URL(address)
    const socket =
      protocol === 'unix:'
        ? createConnection(decodeURIComponent(pathname))
        : createConnection(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    return new AbciClient(socket)
  }

  /** Asks; the answer has to be of the question's kind. Rejects when the connection ends first. */
  async ask<Case extends NonNullable<Question['case']>>(
    question: Question & { readonly case: Case },
  ): Promise<AnswerOf<Case>> {
    const { promise, resolve } = Promise.withResolvers<AbciResponse['value'] | undefined>()
    this.#waiting.push(resolve)
    this.send(questionFrame(question))
    const answer = await promise
    if (!answer) throw new Error(`ended: ${this.exception ?? 'closed'}`)
    assert.equal(answer.case, question.case, 'the answer is to the oldest question')
    return answer.value as AnswerOf<Case>
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Bytes that the server has not read, beyond what the system holds for it. */
  get unread(): number {
    return this.#socket.writableLength
  }

  /** Reads no answers, until the result is called. */
  stopReading(): () => void {
    this.#socket.pause()
    return () => this.#socket.resume()
  }

  /** Says that nothing more will come. */
  end(): void {
    this.#socket.end()
  }

  /** Breaks off, as a killed process does. */
  destroy(): void {
    this.#socket.destroy()
  }

  #hear(answer: AbciResponse['value']): void {
    if (answer.case === 'exception') this.exception = answer.value.error
    else this.#waiting.shift()?.(answer)
  }
}
