// What a devnet that may be killed has written of its signatures.
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Hex } from '#primitives'
import type { SigningChecker } from '../support/signing-checker.ts'

/** Shows a checker what was added to the file since the last time; each call goes on. */
export function readSignatures(path: string, checker: SigningChecker): () => void {
  let offset = 0
  return () => {
    if (!existsSync(path)) return
    const text = readFrom(path, offset)
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    offset += Buffer.byteLength(whole)
    for (const line of whole.split('\n').slice(0, -1)) {
      const [purpose = '', position = '', digest] = line.split('\t')
      checker.signed(purpose, position, digest as Hex)
    }
  }
}

function readFrom(path: string, offset: number): string {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(fstatSync(file).size - offset)
    readSync(file, bytes, 0, bytes.length, offset)
    return bytes.toString('utf8')
  } finally {
    closeSync(file)
  }
}
