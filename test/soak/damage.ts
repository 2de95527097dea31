// Damages an operator's files while it is down: cut or flipped at every class of offset, it starts
// on the longest good prefix and comes to the network's state again, or it refuses, and names the
// file.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { type Adapt, type EmbeddedDevnet, parseDevnetOptions, startDevnet } from '#devnet'
import { systemClock } from '#node'
import { DomainError, type Hex } from '#primitives'
import { embeddedStatus } from '../support/embedded.ts'
import { silentLogger } from '../support/manual-clock.ts'
import { random } from '../support/random.ts'
import { patienceMs } from '../support/waiting.ts'

/** What became of the damages. */
export type DamageReport = {
  readonly damages: number
  readonly recovered: number
  readonly refused: number
  /** Code of each refusal, by file. */
  readonly refusals: Readonly<Record<string, readonly string[]>>
  /** Silent wrong states, and refusals that do not name their file. */
  readonly problems: readonly string[]
}

/** One damage: of which file, where, and how. */
export type Damage = {
  readonly file: string
  /**
   * Class of the offset: the header, the first record, the middle, the last record, the last byte.
   */
  readonly place: (typeof places)[number]
  readonly kind: 'flip' | 'cut'
}

const places = [
  'first byte',
  'header',
  'first record',
  'middle',
  'last record',
  'last byte',
] as const

/** Every damage of one file. */
export const damagesOf = (file: string): readonly Damage[] =>
  places.flatMap((place) => (['flip', 'cut'] as const).map((kind) => ({ file, place, kind })))

/** The operator whose files are damaged. */
const victim = 4
/** Blocks that the network makes before the victim's files are taken. */
const blocksBefore = 12

/** @param wanted - damages, of every file that an operator keeps when absent. */
export async function damageFiles(
  seed: number,
  wanted?: readonly Damage[],
  progress: (done: number, of: number) => void = () => {},
): Promise<DamageReport> {
  const next = random(seed)
  const raw = { operators: '4', port: '0', logLevel: 'silent', load: '0' }
  let folder = ''
  /** Why the victim ended that had started. */
  let failure: unknown
  const adapt: Adapt = (operator) => {
    if (operator.id !== victim) return operator
    folder = operator.folder
    const onFailure = (error: unknown) => {
      failure ??= error
    }
    return { ...operator, logger: silentLogger, onFailure }
  }
  const devnet = await startDevnet(parseDevnetOptions(raw, '.'), () => {}, undefined, adapt)
  const hashes = new Map<number, Hex>()
  devnet.operators
    .get(1)
    ?.application.onCommitted(({ block, appHash }) => hashes.set(block.height, appHash))
  const refusals: Record<string, string[]> = {}
  const problems: string[] = []
  const counts = { damages: 0, recovered: 0, refused: 0 }
  try {
    await until(() => heightOf(devnet, victim) >= blocksBefore)
    await devnet.stopOperator(victim)
    const sound = `${folder}.sound`
    copyFolder(folder, sound)
    const damages = wanted ?? filesOf(sound).flatMap(damagesOf)
    for (const [place, damage] of damages.entries()) {
      progress(place, damages.length)
      copyFolder(sound, folder)
      const path = join(folder, damage.file)
      if (!spoil(path, damage, next)) continue
      counts.damages++
      const name = `${damage.kind} at ${damage.place} of ${damage.file}`
      failure = undefined
      const refused = await tryStart(devnet)
      const fault = refused ? undefined : await agrees(devnet, hashes)
      // What is not read at the start is refused when it is.
      const refusal = refused ?? failure
      if (refusal) {
        counts.refused++
        refusals[damage.file] = [...new Set([...(refusals[damage.file] ?? []), codeOf(refusal)])]
        if (!isClear(refusal, folder)) problems.push(`${name}: ${String(refusal)}`)
      } else if (fault) problems.push(`${name}: ${fault}`)
      else counts.recovered++
      await devnet.stopOperator(victim)
    }
    progress(damages.length, damages.length)
  } finally {
    await devnet.stop()
  }
  return { ...counts, refusals, problems }
}

/** Record files and databases; a lock holds nothing. */
const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => /\.(log|db|sqlite)$/.test(name))

function copyFolder(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name))
}

/** @returns false when the file is not there or empty. */
function spoil(path: string, { kind, place }: Damage, next: () => number): boolean {
  if (!existsSync(path)) return false
  const bytes = readFileSync(path)
  if (bytes.length === 0) return false
  const offset = offsetOf(place, bytes.length, next)
  bytes[offset] = (bytes[offset] ?? 0) ^ (1 << Math.floor(next() * 8))
  writeFileSync(path, kind === 'cut' ? bytes.subarray(0, offset) : bytes)
  return true
}

/** Bytes of a record file's header and of a small record, more or less. */
const headerBytes = 80
const recordBytes = 100

function offsetOf(place: Damage['place'], length: number, next: () => number): number {
  const between = (from: number, to: number) =>
    Math.max(0, Math.min(length - 1, Math.floor(from + next() * (to - from))))
  switch (place) {
    case 'first byte':
      return 0
    case 'header':
      return between(1, headerBytes)
    case 'first record':
      return between(headerBytes, headerBytes + recordBytes)
    case 'middle':
      return between(length / 4, (3 * length) / 4)
    case 'last record':
      return between(length - recordBytes, length - 1)
    case 'last byte':
      return length - 1
  }
}

async function tryStart(devnet: EmbeddedDevnet): Promise<unknown> {
  try {
    await devnet.startOperator(victim)
    return undefined
  } catch (error) {
    return error
  }
}

const codeOf = (error: unknown): string => (error instanceof DomainError ? error.code : 'Defect')

/** An error of the domain whose message names a file of the folder. */
const isClear = (error: unknown, folder: string): boolean =>
  error instanceof DomainError && error.message.includes(folder)

const heightOf = (devnet: EmbeddedDevnet, id: number): number =>
  devnet.operators.get(id)?.application.height ?? 0

/**
 * @returns what is wrong, unless the victim has said so and ended: another app hash than the
 * network's, or no way back to it.
 */
async function agrees(
  devnet: EmbeddedDevnet,
  hashes: ReadonlyMap<number, Hex>,
): Promise<string | undefined> {
  const operator = devnet.operators.get(victim)
  if (!operator) return 'it is not there'
  const { application } = operator
  const goal = Math.max(0, ...hashes.keys())
  await until(() => application.height >= goal || embeddedStatus(operator).phase === 'failed')
  const { height, appHash } = await application.info()
  if (height < goal) return `it stays at ${height} of ${goal} (${embeddedStatus(operator).phase})`
  const expected = hashes.get(height) ?? appHash
  return appHash === expected ? undefined : `app hash ${appHash} at ${height}, not ${expected}`
}

/** Waits until it is so, or until it has taken too long: what follows says what is wrong then. */
async function until(isSo: () => boolean): Promise<void> {
  const deadlineMs = systemClock.nowMs() + patienceMs
  while (!isSo() && systemClock.nowMs() < deadlineMs) await pass(20)
}
