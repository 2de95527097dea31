import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'

/** A log that is longer is put aside. */
const maxLogBytes = 16 * 1024 * 1024

/** How much of it the last words are looked for in, and how many lines of that help. */
const lastBytes = 4096
const lastLines = 5

/** CometBFT's log: `cometbft.log` in its folder, and `cometbft.log.old`, what was before. */
export class LogFile {
  readonly #path: string
  /** Where this run's words begin. */
  #start = 0

  constructor(home: string) {
    this.#path = join(home, 'cometbft.log')
  }

  /** Opens it for the words of a run, which are appended. @returns the file's descriptor. */
  open(): number {
    this.trim()
    const file = openSync(this.#path, 'a', 0o600)
    this.#start = fstatSync(file).size
    return file
  }

  /**
   * Puts it aside when it is long. A program that runs keeps to the file that it was given, so that
   * is copied and emptied; a line that comes in between is lost.
   *
   * @throws the system's own errors; it is empty nonetheless when only the copy fails.
   */
  trim(): void {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0
    if (size <= maxLogBytes) return
    try {
      copyFileSync(this.#path, `${this.#path}.old`)
    } finally {
      truncateSync(this.#path)
      this.#start = 0
    }
  }

  /** What this run said last, as many lines as help; none when the file was taken away. */
  lastWords(): string {
    if (!existsSync(this.#path)) return ''
    const file = openSync(this.#path, 'r')
    try {
      const end = fstatSync(file).size
      const start = Math.max(this.#start, end - lastBytes)
      const bytes = Buffer.alloc(Math.max(0, end - start))
      readSync(file, bytes, 0, bytes.length, start)
      const lines = bytes.toString().split('\n')
      return lines
        .filter((line) => line.trim() !== '')
        .slice(-lastLines)
        .join(' | ')
    } finally {
      closeSync(file)
    }
  }
}
