import type { RecoverPublicKey } from './recover.ts'

/** Whose signature is asked for. */
export type SignedDigest = {
  /** 32 bytes. */
  readonly digest: Uint8Array
  /** 64 bytes, r ‖ s. */
  readonly signature: Uint8Array
  /** 0 or 1. */
  readonly recovery: number
}

// Many questions as one array of bytes, and so their answers: it changes hands between threads
// without being copied.

/** Digest, signature, recovery. */
const questionBytes = 32 + 64 + 1
/** Whether there is a key, and the key. */
const keyBytes = 64
const answerBytes = 1 + keyBytes

/** The questions as bytes. */
export function questionOf(signed: readonly SignedDigest[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(signed.length * questionBytes)
  for (const [place, { digest, signature, recovery }] of signed.entries()) {
    const start = place * questionBytes
    bytes.set(digest, start)
    bytes.set(signature, start + 32)
    bytes[start + questionBytes - 1] = recovery
  }
  return bytes
}

/** Answers each of the questions, in their order. */
export function answerOf(question: Uint8Array, recover: RecoverPublicKey): Uint8Array<ArrayBuffer> {
  const count = question.length / questionBytes
  const answer = new Uint8Array(count * answerBytes)
  for (let place = 0; place < count; place++) {
    const one = question.subarray(place * questionBytes, (place + 1) * questionBytes)
    const key = recover(one.subarray(0, 32), one.subarray(32, 96), one[96] as number)
    if (!key) continue
    answer[place * answerBytes] = 1
    answer.set(key, place * answerBytes + 1)
  }
  return answer
}

/** The keys that an answer holds; undefined where there is none. */
export function keysOf(answer: Uint8Array): readonly (Uint8Array | undefined)[] {
  return Array.from({ length: answer.length / answerBytes }, (_, place) => {
    const start = place * answerBytes
    return answer[start] === 1 ? answer.subarray(start + 1, start + answerBytes) : undefined
  })
}
