import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DomainError } from '#primitives'
import { type CometConfig, configToml } from './config.ts'
import { makeFolder } from './folder.ts'
import { type CometGenesis, genesisJson } from './genesis.ts'
import { nodeKeyJson, nodeSeedOf, validatorKeyJson } from './keys.ts'

/** What CometBFT's folder is made from. */
export type CometHome = {
  /** Absolute. */
  readonly folder: string
  readonly genesis: CometGenesis
  readonly config: CometConfig
  /** ed25519 seed of the validator, 32 bytes. */
  readonly consensusSeed: Uint8Array
  /** ed25519 seed of the node's own key, 32 bytes; absent: it derives from the validator's. */
  readonly nodeSeed?: Uint8Array | undefined
  /** Whether the validator may have signed what only its record tells: a lost one is refused. */
  readonly hasSigned: boolean
}

const genesisPath = 'config/genesis.json'
/** The same, of the network that the data are of: CometBFT keeps its own where only it can read. */
const dataGenesisPath = 'data/genesis.json'
/** What the validator signed last; CometBFT writes it before each signature leaves. */
const signStatePath = 'data/priv_validator_state.json'
const unsigned = { height: '0', round: 0, step: 0 }

/**
 * Writes CometBFT's folder: configuration, genesis and keys are made anew at every start, its data
 * stay. Keys are readable by their owner alone.
 *
 * @throws WrongEngineError when the folder, or its data, are another network's.
 * @throws SignStateLostError when the record of what was signed is gone: who forgets it might sign
 * two blocks of one height.
 */
export function writeHome(home: CometHome): void {
  const { folder, genesis, config, consensusSeed, hasSigned } = home
  const nodeSeed = home.nodeSeed ?? nodeSeedOf(consensusSeed)
  for (const part of ['', 'config', 'data']) makeFolder(join(folder, part))
  const document = genesisJson(genesis)
  for (const path of [genesisPath, dataGenesisPath])
    requireSameGenesis(join(folder, path), document)
  requireSignState(join(folder, signStatePath), hasSigned)
  save(join(folder, 'config/config.toml'), configToml(config))
  save(join(folder, 'config/node_key.json'), nodeKeyJson(nodeSeed))
  save(join(folder, 'config/priv_validator_key.json'), validatorKeyJson(consensusSeed))
  for (const path of [genesisPath, dataGenesisPath]) save(join(folder, path), document)
}

function requireSameGenesis(path: string, expected: string): void {
  if (!existsSync(path)) return
  const [theirs, ours] = [entriesOf(readFileSync(path, 'utf8')), entriesOf(expected)]
  // Two networks differ in much, and are called by this.
  const fields = ['chain_id', ...ours.keys(), ...theirs.keys()]
  const field = fields.find((one) => theirs.get(one) !== ours.get(one))
  if (field === undefined) return
  const [found, wanted] = [theirs, ours].map((one) => one.get(field) ?? '(nothing)')
  throw new WrongEngineError(
    `${path} has ${field} ${found}, the operator's genesis ${wanted}: ` +
      'give the operator its own data folder',
    { path, field, expected: String(wanted), found: String(found) },
  )
}

/** Every value of a JSON document by its path; none when it cannot be read. */
function entriesOf(document: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>()
  const add = (path: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) return void entries.set(path, String(value))
    for (const [key, inner] of Object.entries(value))
      add(path === '' ? key : `${path}.${key}`, inner)
  }
  try {
    add('', JSON.parse(document))
  } catch {
    return new Map()
  }
  return entries
}

function requireSignState(path: string, hasSigned: boolean): void {
  if (existsSync(path)) return
  if (hasSigned)
    throw new SignStateLostError(
      `${path} is missing, and this validator has signed before: ` +
        'restore it from a copy; never make a new one',
      { path },
    )
  save(path, `${JSON.stringify(unsigned)}\n`)
}

/** Beyond every round and step of a height. */
const past = { round: 2 ** 31 - 1, step: 3 }

/**
 * From now on the validator signs above this height alone: durable when it returns. Nothing may
 * sign with its key meanwhile.
 *
 * @param folder - CometBFT's.
 */
export function raiseSignState(folder: string, height: number): void {
  const path = join(folder, signStatePath)
  const { height: signed } = JSON.parse(readFileSync(path, 'utf8'))
  // A record without a height is one of height 0 to CometBFT.
  if (Number(signed ?? 0) <= height)
    save(path, `${JSON.stringify({ height: String(height), ...past })}\n`)
}

/** Whole or not at all, and durable. */
function save(path: string, text: string): void {
  const draft = `${path}.new`
  writeFileSync(draft, text, { mode: 0o600, flush: true })
  renameSync(draft, path)
  const folder = openSync(dirname(path), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

/** The engine's folder belongs to another network than the operator's genesis. */
export class WrongEngineError extends DomainError<
  'WrongEngine',
  {
    readonly path: string
    readonly field: string
    readonly expected: string
    readonly found: string
  }
> {
  override readonly code = 'WrongEngine'
}

/** Nobody knows any more what this validator has signed. */
export class SignStateLostError extends DomainError<'SignStateLost', { readonly path: string }> {
  override readonly code = 'SignStateLost'
}
