import { z } from 'zod'
import { cometMempools, cometTimings } from '#consensus'
import { type Disk, DomainError, type Hex, wei as toWei, utf8, type Wei } from '#primitives'
import { type Declaration, maxDeclaredCapacity } from '#records'
import { minKeptBlocks } from '#services/sequencer'
import { loadFile, saveFile } from './whole-file.ts'

/** In an operator's folder: where it listens, whom it calls, what it reads. */
export const settingsFile = 'operator.json'

/** About every twenty minutes of a quiet network. */
const defaultSnapshots = { everyBlocks: 1_000, kept: 2 }
/** A week. */
const defaultTrustPeriodS = 604_800

const port = z.int().min(0).max(65_535)
const hostPort = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:@/]+):\d{1,5}$/, 'host:port is expected')
const peer = z
  .string()
  .regex(/^[0-9a-f]{40}@[^\s@/]+:\d{1,5}$/, '40 hexadecimal digits, @ and host:port are expected')
const httpUrl = z.url({ protocol: /^https?$/ })
const wei = z
  .string()
  .regex(/^\d{1,77}$/, 'an amount of wei is expected, as a text of digits')
  .transform((digits) => toWei(BigInt(digits)))

/** What an operator is told about its surroundings; secrets are elsewhere. */
const settingsSchema = z.strictObject({
  /** Its place in the genesis. */
  operator: z.int().min(1),
  /** Where its gateway listens; port 0: any free one. */
  gateway: z.strictObject({ host: z.string().default('127.0.0.1'), port: port.default(8545) }),
  l1Url: httpUrl,
  /** Price feeds that it reads. */
  feeds: z.array(httpUrl).max(16).default([]),
  /** Blocks, L2 blocks and leaves of the outbox that it keeps at least, the newest of each. */
  keptBlocks: z.int().min(minKeptBlocks).optional(),
  /** What it says of itself to the ledger, for the allocation of work; absent: nothing. */
  declares: z
    .strictObject({
      /** Committee places that it fills in an epoch. */
      capacity: z.int().min(0).max(maxDeclaredCapacity),
      /** What a place costs it in wei, by service. */
      costs: z.record(z.string().max(31), wei).default({}),
      /** Name of those whom it stands or falls with. */
      group: z
        .string()
        .regex(/^[a-z0-9.-]{0,32}$/, 'up to 32 of a-z, 0-9, - and . are expected')
        .default(''),
    })
    .transform(toDeclaration)
    .optional(),
  /** Gateways of the network by operator, for those who ask. */
  gateways: z.record(z.string().regex(/^[1-9]\d{0,4}$/), httpUrl).default({}),
  cometbft: z.strictObject({
    /** Where its node listens for others, and how they reach it when that is elsewhere. */
    listen: hostPort.default('0.0.0.0:26656'),
    external: hostPort.optional(),
    /** Nodes of the other operators: `id@host:port`. */
    peers: z.array(peer).max(256),
    /** How far away those are. */
    timing: z.enum(Object.keys(cometTimings) as (keyof typeof cometTimings)[]).default('wan'),
    mempool: z.enum(cometMempools).default('app'),
    /** Where those who join may ask about the chain, by CometBFT's RPC; absent: nowhere. */
    rpcListen: hostPort.optional(),
    /** The program to run; the one that setup found when absent. */
    binary: z.string().optional(),
    /** Whole states for those who join: taken every so many blocks (0: never), the newest kept. */
    snapshots: z
      .strictObject({
        everyBlocks: z.int().min(0).default(defaultSnapshots.everyBlocks),
        kept: z.int().min(1).max(64).default(defaultSnapshots.kept),
      })
      .default(defaultSnapshots),
    /** To begin from a snapshot of others instead of block 1; absent: from block 1. */
    stateSync: z
      .strictObject({
        servers: z.array(hostPort).min(2).max(16),
        trustHeight: z.int().min(1),
        trustHash: z
          .string()
          .regex(/^(0x)?[0-9a-fA-F]{64}$/, '64 hexadecimal digits are expected')
          .transform((digits): Hex => `0x${digits.slice(-64).toLowerCase()}`),
        trustPeriodS: z.int().min(1).default(defaultTrustPeriodS),
      })
      .optional(),
  }),
})

/** An operator's settings, with defaults filled in, and as a file may have them. */
export type OperatorSettings = z.output<typeof settingsSchema>
export type OperatorSettingsFile = z.input<typeof settingsSchema>

function toDeclaration({
  costs,
  ...rest
}: Pick<Declaration, 'capacity' | 'group'> & {
  readonly costs: Readonly<Record<string, Wei>>
}): Declaration {
  const named = Object.entries(costs).map(([service, cost]) => ({ service, cost }))
  return { ...rest, costs: named.sort((a, b) => (a.service < b.service ? -1 : 1)) }
}

/** Puts settings into an operator's folder. */
export const saveSettings = (disk: Disk, settings: OperatorSettingsFile): Promise<void> =>
  saveFile(disk, settingsFile, utf8(`${JSON.stringify(settings, null, 2)}\n`))

/** @throws SettingsError when there are none, or one of them is not allowed. */
export async function loadSettings(disk: Disk): Promise<OperatorSettings> {
  const bytes = await loadFile(disk, settingsFile)
  const path = disk.pathOf(settingsFile)
  if (!bytes) throw new SettingsError(`${path} is missing`, { path })
  return readSettings(path, Buffer.from(bytes).toString())
}

/**
 * The settings of a text.
 *
 * @param path - where it is from, for messages.
 * @throws SettingsError
 */
export function readSettings(path: string, text: string): OperatorSettings {
  const read = settingsSchema.safeParse(parse(path, text))
  if (read.success) return read.data
  const [issue] = read.error.issues
  const where = issue?.path.join('.') || 'it'
  throw new SettingsError(`${path}: ${where}: ${issue?.message}`, { path })
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SettingsError(`${path} is no JSON: ${String(cause)}`, { path }, cause)
  }
}

/** An operator's settings cannot be used. */
export class SettingsError extends DomainError<'BadSettings', { readonly path: string }> {
  override readonly code = 'BadSettings'
}
