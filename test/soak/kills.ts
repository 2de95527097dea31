// Rounds of `kill -9` of a devnet under load, on one folder: what was accepted, signed and decided
// is known outside, and must still be so at the end.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { createClient } from '#api'
import {
  createLoad,
  devnetAccount,
  genesisFile,
  type Load,
  l2ChainId,
  loadSecrets,
  loadSenders,
  systemClock,
} from '#devnet'
import { loadSecp256k1 } from '#node'
import { DomainError, type Hex, toHex } from '#primitives'
import { decode, type Genesis, genesisCodec, networkId } from '#records'
import { silentLogger } from '../support/manual-clock.ts'
import { random } from '../support/random.ts'
import { createSigningChecker } from '../support/signing-checker.ts'
import { createChainChecker } from './chain-checker.ts'
import { type DevnetProcess, endL1, startDevnetProcess } from './devnet-process.ts'
import { createFolderChecker } from './folder-checker.ts'

/** What became of the rounds. */
export type KillsReport = {
  readonly rounds: number
  /** Transactions and tasks whose hash or id was returned. */
  readonly accepted: number
  /** Of these, neither on L1 nor ended with a recorded reason. */
  readonly lost: number
  readonly twice: number
  readonly height: number
  readonly l2Height: number
  readonly signed: Readonly<Record<'vote' | 'report' | 'nonce', number>>
  /** Double signatures, and breaks in app hashes and L2 state roots. */
  readonly problems: readonly string[]
}

/** Operators of a devnet. */
const operators = 4
/** How long a round runs at most before the kill, once it serves, and while it starts. */
const servingMs = 4_000
const startingMs = 6_000
/** Share of the rounds that are killed while they start. */
const earlyShare = 0.2
/** What is not on L1 this long after the last round has ended its load is lost. */
const settleMs = 120_000

/**
 * @param rounds - kills; one more start follows, which ends as asked.
 * @param progress - told after each kill.
 */
export async function killRounds(
  options: {
    readonly rounds: number
    readonly rate: number
    readonly port: number
    readonly seed: number
  },
  progress: (done: number) => void = () => {},
): Promise<KillsReport> {
  const data = mkdtempSync(join(tmpdir(), 'nodeop-soak-'))
  try {
    return await runRounds(options, data, progress)
  } finally {
    endL1(data)
    rmSync(data, { recursive: true, force: true })
  }
}

async function runRounds(
  { rounds, rate, port, seed }: Parameters<typeof killRounds>[0],
  data: string,
  progress: (done: number) => void,
): Promise<KillsReport> {
  const next = random(seed)
  const gateways = Array.from({ length: operators }, (_, i) => `http://127.0.0.1:${port + i}`)
  let running = startDevnetProcess(data, port)
  try {
    await requireServing(running)
    const genesis = decode(genesisCodec, new Uint8Array(readFileSync(join(data, genesisFile))))
    const checker = createSigningChecker()
    const folders = createFolderChecker(genesis, ({ name }) => join(data, name), checker)
    const chain = createChainChecker(gateways)
    const load = loadOf(gateways, genesis, rate)
    await load.start()
    for (let round = 0; round < rounds; round++) {
      const isEarly = round > 0 && next() < earlyShare
      if (isEarly) await pass(next() * startingMs)
      else {
        await requireServing(running)
        await chain.look()
        await pass(next() * servingMs)
      }
      await running.kill()
      await folders.look()
      progress(round + 1)
      running = startDevnetProcess(data, port)
    }
    await requireServing(running)
    await load.stop()
    const { accepted, lost } = await settle(load, gateways)
    await chain.look()
    await running.end()
    await folders.look()
    const { seen, violations } = checker
    return {
      rounds,
      accepted,
      lost,
      twice: chain.twice.length,
      height: folders.height(),
      l2Height: chain.height(),
      signed: { vote: seen('vote'), report: seen('report'), nonce: seen('nonce') },
      problems: [...violations, ...folders.problems, ...chain.problems],
    }
  } finally {
    await running.kill()
  }
}

async function requireServing(devnet: DevnetProcess): Promise<void> {
  if (await devnet.serves) return
  const said = devnet.lines.slice(-3).join(' / ')
  throw new NotStartedError(`a devnet did not start again: ${said}`, { said })
}

/** A devnet that was killed does not come up again. */
export class NotStartedError extends DomainError<'NotStarted', { readonly said: string }> {
  override readonly code = 'NotStarted'
}

const loadOf = (gateways: readonly string[], genesis: Genesis, rate: number): Load =>
  createLoad({
    ...{ gateways, l2ChainId, rate, symbols: ['ETH/USD'] },
    senders: loadSecrets(loadSenders).map(toHex),
    taskClient: devnetAccount(9).privateKey,
    networkId: networkId(genesis),
    sign: loadSecp256k1().sign,
    clock: systemClock,
    logger: silentLogger,
  })

/** Waits until all that was accepted has ended; what has not after the limit is lost. */
async function settle({ records }: Load, gateways: readonly string[]) {
  const accepted = [...records.transactions.values(), ...records.tasks.values()]
    .filter(({ status }) => status === 'accepted')
    .map(({ id }) => id)
  const clients = gateways.map((url) => createClient([url]))
  const deadlineMs = systemClock.nowMs() + settleMs
  let open: readonly Hex[] = accepted
  while (open.length > 0 && systemClock.nowMs() < deadlineMs) {
    open = await stillOpen(clients, open)
    if (open.length > 0) await pass(1_000)
  }
  return { accepted: accepted.length, lost: open.length }
}

const ends: readonly string[] = ['onL1', 'settled', 'expired', 'refused']

type Client = ReturnType<typeof createClient>

/** Those that no gateway knows to have ended. */
async function stillOpen(clients: readonly Client[], ids: readonly Hex[]): Promise<readonly Hex[]> {
  const open: Hex[] = []
  for (const id of ids) if (!(await isOver(clients, id))) open.push(id)
  return open
}

async function isOver(clients: readonly Client[], id: Hex): Promise<boolean> {
  for (const client of clients) {
    // A gateway that does not serve yet is asked again in the next turn.
    const proof = await client.nodeop_getProof(id).catch(() => undefined)
    if (proof && ends.includes(proof.status)) return true
  }
  return false
}
