import type { Socket } from 'node:net'
import { Fifo } from './fifo.ts'

/** Answers up to this size are copied together, so that one write carries many. */
const smallBytes = 4096

type Place = { frame: Uint8Array | undefined }

/**
 * Sends answers in the order of their questions, whichever is ready first. What becomes ready in
 * one turn of the event loop leaves in one write.
 */
export class Outbox {
  readonly #socket: Socket
  readonly #sent: () => void
  /** Of the questions that wait. */
  readonly #places = new Fifo<Place>()
  #isFlushing = false

  /** @param sent - told after answers have left. */
  constructor(socket: Socket, sent: () => void) {
    this.#socket = socket
    this.#sent = sent
  }

  /** Questions whose answer has not left. */
  get waiting(): number {
    return this.#places.size
  }

  /** Takes the next place in the order; its answer is handed to the result. */
  takePlace(): (frame: Uint8Array) => void {
    const place: Place = { frame: undefined }
    this.#places.add(place)
    return (frame) => {
      place.frame = frame
      if (this.#isFlushing || this.#places.first?.frame === undefined) return
      this.#isFlushing = true
      // After everything else that is ready now, so that it leaves together.
      process.nextTick(() => this.#flush())
    }
  }

  #flush(): void {
    this.#isFlushing = false
    const ready: Uint8Array[] = []
    for (let frame = this.#places.first?.frame; frame; frame = this.#places.first?.frame) {
      ready.push(frame)
      this.#places.take()
    }
    if (this.#socket.writable) this.#write(ready)
    this.#sent()
  }

  #write(frames: readonly Uint8Array[]): void {
    if (frames.every(({ length }) => length <= smallBytes)) {
      this.#socket.write(Buffer.concat(frames))
      return
    }
    this.#socket.cork()
    for (const frame of frames) this.#socket.write(frame)
    this.#socket.uncork()
  }
}
