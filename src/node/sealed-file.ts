import { concatBytes, equalBytes, sha256, utf8 } from '#primitives'

const checksumBytes = 32
const lineFeed = 0x0a

/** A file that tells what it holds: a line, the SHA-256 of what follows it, and that. */
export type Sealed = {
  /** The line, without its end; empty when there is none. */
  readonly heading: string
  /** What follows; undefined when the checksum is of something else. */
  readonly body: Uint8Array | undefined
}

/** @param heading - one line of ASCII, without its end. */
export const seal = (heading: string, body: Uint8Array): Uint8Array =>
  concatBytes(utf8(`${heading}\n`), sha256(body), body)

/** Takes such a file apart, whatever it holds. */
export function unseal(bytes: Uint8Array): Sealed {
  const lineBytes = bytes.indexOf(lineFeed) + 1
  const sum = bytes.subarray(lineBytes, lineBytes + checksumBytes)
  const body = bytes.subarray(lineBytes + checksumBytes)
  return {
    heading: Buffer.from(bytes.subarray(0, Math.max(0, lineBytes - 1))).toString('latin1'),
    body: equalBytes(sum, sha256(body)) ? body : undefined,
  }
}
