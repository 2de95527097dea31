import { readFileSync } from 'node:fs'

/** The Go module of CometBFT's program. */
export const cometModule = 'github.com/cometbft/cometbft'

/**
 * The release that operators run. It is known by its module version, which the Go linker writes
 * into every program: the tag v0.40.0 prints 0.39.0.
 */
export const cometVersion = 'v0.40.0'

/** Releases that speak the same ABCI and RPC, the one to run first. */
export const cometVersions: readonly string[] = [cometVersion, 'v0.38.25']

/** What a Go program begins its build information with, at a multiple of 16 bytes. */
const magic = Buffer.from('\xff Go buildinf:', 'latin1')
const alignment = 16
/** Magic, size of a pointer, flags and padding; two texts with their lengths follow. */
const headerBytes = 32
/** Flag of the layout that Go 1.18 and later write. */
const hasTexts = 2

/**
 * The version of CometBFT that a program file was built from, as `go version -m` says it; undefined
 * when the file is no such program.
 *
 * @see https://pkg.go.dev/debug/buildinfo
 */
export function cometVersionOf(file: string): string | undefined {
  try {
    return versionIn(readFileSync(file))
  } catch {
    return undefined // a folder, or not ours to read: no program either way
  }
}

/** The same, of a program's bytes. */
export function versionIn(program: Buffer): string | undefined {
  for (let at = program.indexOf(magic); at >= 0; at = program.indexOf(magic, at + 1)) {
    if (at % alignment !== 0) continue
    const [, modules] = textsAt(program, at)
    const [, version] = new RegExp(`^mod\t${cometModule}\t(\\S+)`, 'm').exec(modules ?? '') ?? []
    if (version) return version
  }
  return undefined
}

/** Version of Go, and the modules that the program is made of. */
function textsAt(program: Buffer, at: number): readonly string[] {
  const flags = program[at + magic.length + 1] ?? 0
  if ((flags & hasTexts) === 0) return []
  const first = textAt(program, at + headerBytes)
  return [first.text, textAt(program, first.end).text]
}

/** A text after its length, an unsigned varint. */
function textAt(program: Buffer, at: number): { readonly text: string; readonly end: number } {
  let length = 0
  let start = at
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = program[start++] ?? 0
    length |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  const end = start + length
  return { text: program.toString('latin1', start, end), end }
}
