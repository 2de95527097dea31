import { DomainError } from '#primitives'

/**
 * Most bytes of a message. FinalizeBlock is the largest: a block of 100 MiB, CometBFT's own limit,
 * and the votes around it.
 */
const maxFrameBytes = 128 * 1024 * 1024

/** Bytes that a length may take: 7 bits each, and lengths are below 2^31. */
const maxLengthBytes = 5

/**
 * Cuts a stream into messages: each comes after its length as an unsigned varint. Small messages
 * are views of what was received; one that came in pieces is copied once.
 */
export class FrameReader {
  readonly #limit: number
  /** Of the frame that is under way: what came of its length, or its body and how much is there. */
  #length = 0
  #lengthBytes = 0
  #body: Uint8Array | undefined
  #filled = 0

  constructor(limit: number = maxFrameBytes) {
    this.#limit = limit
  }

  /** Whether the stream stands between two frames. */
  get isBetween(): boolean {
    return this.#body === undefined && this.#lengthBytes === 0
  }

  /**
   * The frames that end in this piece of the stream.
   *
   * @throws FrameTooLargeError, BadFrameError
   */
  *read(chunk: Uint8Array): Generator<Uint8Array, void> {
    let at = 0
    while (at < chunk.length) {
      if (!this.#body) {
        at = this.#readLength(chunk, at)
        if (at < 0) return
        const end = at + this.#length
        if (end <= chunk.length) {
          yield chunk.subarray(at, end)
          at = end
          continue
        }
        // Not zeroed: every byte is written before the frame is handed out.
        this.#body = new Uint8Array(Buffer.allocUnsafeSlow(this.#length).buffer)
        this.#filled = 0
      }
      const part = chunk.subarray(at, at + this.#length - this.#filled)
      this.#body.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled < this.#length) return
      const frame = this.#body
      this.#body = undefined
      yield frame
    }
  }

  /** Where the body begins, with `#length` set; negative when more of the length is to come. */
  #readLength(chunk: Uint8Array, start: number): number {
    if (this.#lengthBytes === 0) this.#length = 0
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] as number
      this.#length += (byte & 0x7f) * 2 ** (7 * this.#lengthBytes++)
      if (byte < 0x80) {
        this.#lengthBytes = 0
        if (this.#length > this.#limit) throw tooLarge(this.#length, this.#limit)
        return at + 1
      }
      if (this.#lengthBytes === maxLengthBytes)
        throw new BadFrameError('the length of a message takes too many bytes', {})
    }
    return -1
  }
}

/** Bytes that a length takes. */
export function lengthSize(length: number): number {
  let size = 1
  for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) size++
  return size
}

/** A message with its length before it. */
export function toFrame(message: Uint8Array): Uint8Array {
  const size = lengthSize(message.length)
  const frame = Buffer.allocUnsafe(size + message.length)
  let rest = message.length
  for (let at = 0; at < size; at++) {
    frame[at] = at === size - 1 ? rest : (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  frame.set(message, size)
  return frame
}

const tooLarge = (bytes: number, limit: number) =>
  new FrameTooLargeError(`a message of ${bytes} bytes, limit ${limit}`, { bytes, limit })

/** A message is longer than any may be. */
export class FrameTooLargeError extends DomainError<
  'FrameTooLarge',
  { readonly bytes: number; readonly limit: number }
> {
  override readonly code = 'FrameTooLarge'
}

/** Bytes that are no message, or end inside one. */
export class BadFrameError extends DomainError<'BadFrame'> {
  override readonly code = 'BadFrame'
}
