import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BadFrameError, FrameReader, FrameTooLargeError, toFrame } from './frames.ts'

const readAll = (reader: FrameReader, chunks: readonly Uint8Array[]): Uint8Array[] =>
  chunks.flatMap((chunk) => [...reader.read(chunk)])

/** A stream cut at these places, each wrapped into its length. */
function cut(stream: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((at) => at % (stream.length + 1)), 0, stream.length]
  ends.sort((a, b) => a - b)
  return ends.slice(1).map((end, i) => stream.subarray(ends[i], end))
}

test('frames: however a stream is cut, the messages come out as they went in', () =>
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (messages, places) => {
        const reader = new FrameReader()
        const read = readAll(reader, cut(Buffer.concat(messages.map(toFrame)), places))
        assert.deepEqual(
          read.map((one) => [...one]),
          messages.map((one) => [...one]),
        )
        assert(reader.isBetween)
      },
    ),
  ))

test('frames: lengths are unsigned varints', () => {
  assert.deepEqual([...toFrame(new Uint8Array(3))], [3, 0, 0, 0])
  assert.deepEqual([...toFrame(new Uint8Array(300)).subarray(0, 3)], [0xac, 0x02, 0])
  assert.equal(toFrame(new Uint8Array(20_000)).length, 20_003)
})

test('frames: a length over the limit is refused before its bytes come', () => {
  const reader = new FrameReader(300)
  assert.equal(readAll(reader, [toFrame(new Uint8Array(300))]).length, 1)
  assert.throws(() => readAll(reader, [Uint8Array.of(0xad, 0x02)]), FrameTooLargeError)
  assert.throws(
    () => readAll(new FrameReader(), [Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07)]),
    FrameTooLargeError,
  )
})

test('frames: a length of more than five bytes is no length', () => {
  const endless = new Uint8Array(6).fill(0x80)
  assert.throws(() => readAll(new FrameReader(), [endless]), BadFrameError)
})

test('frames: a stream that stops inside a frame does not stand between two', () => {
  for (const part of [Uint8Array.of(0x80), Uint8Array.of(3, 1), Uint8Array.of(2)]) {
    const reader = new FrameReader()
    assert.equal(readAll(reader, [part]).length, 0)
    assert(!reader.isBetween)
  }
})

test('frames: messages that came whole are views, not copies', () => {
  const stream = Buffer.concat([toFrame(Uint8Array.of(1)), toFrame(Uint8Array.of(2, 3))])
  for (const frame of new FrameReader().read(stream)) assert.equal(frame.buffer, stream.buffer)
})
