// An operator whose consensus key was copied to a second process: two nodes that vote with one key.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { createClient } from '#api'
import { validatorAddress } from '#consensus'
import { createDisk, generateSecrets, type RunningOperator, systemClock, systemRng } from '#node'
import type { OperatorId } from '#records'
import { freeze } from './comet-faults.ts'
import type { Proven } from './comet-history.ts'
import { type CometNetwork, openCometNetwork } from './comet-network.ts'
import { startHere } from './operator-here.ts'

/** What became of the key's owner. */
export type CopiedKeyReport = {
  /** The proof of its double vote that a block holds; undefined: none came. */
  readonly proven: Proven | undefined
  /** Blocks from the proof to the first one that it has no vote in. */
  readonly voteGoneAfter: number | undefined
  /** What the ledger holds of it then, by every operator's gateway. */
  readonly status: readonly string[]
  /** Transactions and tasks that were accepted meanwhile, and those that were lost. */
  readonly accepted: number
  readonly lost: number
  readonly twice: number
  readonly problems: readonly string[]
  readonly seconds: number
}

/** Whose key is copied. */
const owner: OperatorId = 4
/** Two nodes with one key propose at the same height before long. */
const limitMs = 180_000
/** Changes of validators act so many blocks later. */
const changeBlocks = 2

/** @param rate - transactions a second. */
export async function copyKey(rate: number): Promise<CopiedKeyReport> {
  const startedMs = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-copy-'))
  const network = await openCometNetwork(rate)
  const failures: string[] = []
  let copy: RunningOperator | undefined
  try {
    copy = await startCopy(network, folder, (error) => failures.push(String(error)))
    const proven = await awaitProof(network)
    await network.goesOn(network.operators.filter((id) => id !== owner))
    const voteGoneAfter = proven && (await findVoteGone(network, proven))
    const status = await statusOf(network)
    await copy.stop()
    copy = undefined
    const settled = await network.conclude()
    return {
      ...settled,
      ...{ proven, voteGoneAfter, status },
      twice: settled.twice + network.chain.twice.length,
      problems: [
        ...failures,
        ...settled.problems,
        ...wrong(network, proven, voteGoneAfter, status),
        ...[...network.history.problems, ...network.guards.problems, ...network.chain.problems],
      ],
      seconds: Math.round((performance.now() - startedMs) / 1000),
    }
  } finally {
    await copy?.stop()
    await network.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * An operator in this process that votes by the owner's key, with a folder and a node of its own.
 * Its other keys are others: reports in the owner's name would end whichever of the two is older,
 * and a proof of randomness that nobody accepts lets the two part at each of their proposals.
 */
function startCopy(
  network: CometNetwork,
  folder: string,
  onFailure: (error: unknown) => void,
): Promise<RunningOperator> {
  return startHere(network, owner, (options) => {
    const { consensusSeed } = options.secrets
    const { peers } = options.consensus
    return {
      ...options,
      ...{ name: 'copy', folder, disk: createDisk(folder), port: 0, onFailure },
      secrets: { ...generateSecrets(systemRng), consensusSeed },
      consensus: {
        ...options.consensus,
        peers: { ...peers, listen: '127.0.0.1:0' },
        nodeSeed: systemRng(32),
      },
      switches: { submits: () => false },
    }
  })
}

/**
 * Nodes do not send a peer a vote that it says it has, of whichever of the two: only who hears from
 * both before it could say so can prove anything. So one of the others stands still now and then,
 * for a moment.
 */
async function awaitProof(network: CometNetwork): Promise<Proven | undefined> {
  const { watch, history } = network
  const deadlineMs = systemClock.nowMs() + limitMs
  for (let turn = 0; history.proven.length === 0 && systemClock.nowMs() < deadlineMs; turn++) {
    const letGo = freeze(network, [1 + (turn % (owner - 1))], 'engine')
    await pass(1_000)
    letGo()
    await pass(1_000)
    await watch.look()
  }
  return history.proven[0]
}

/** How many blocks after the proof the owner's key is no validator's any more. */
async function findVoteGone(
  { watch, operators }: CometNetwork,
  { height, address }: Proven,
): Promise<number | undefined> {
  const node = watch.nodeOf(operators[0] as OperatorId)
  for (let after = 0; after <= changeBlocks; after++) {
    const asked = await node.ask('validators', { height: String(height + after) })
    const { validators } = asked as { readonly validators: readonly { readonly address: string }[] }
    if (!validators.some((one) => one.address === address)) return after
  }
  return undefined
}

/** Status and power of the owner, at each gateway. */
const statusOf = ({ devnet }: CometNetwork): Promise<readonly string[]> =>
  Promise.all(
    devnet.gateways().map(async (url) => {
      const known = await createClient([url]).nodeop_operators()
      const one = known.find(({ id }) => id === owner)
      return `${one?.status}, power ${one?.power}`
    }),
  )

function wrong(
  { devnet }: CometNetwork,
  proven: Proven | undefined,
  voteGoneAfter: number | undefined,
  status: readonly string[],
): readonly string[] {
  if (!proven) return ['no double vote was proven']
  const key = devnet.genesis.operators.find(({ id }) => id === owner)?.consensusKey
  const isOwners = key && validatorAddress(key).slice(2).toUpperCase() === proven.address
  return [
    ...(isOwners ? [] : [`a double vote of ${proven.address}, whose key was not copied`]),
    ...(voteGoneAfter === undefined ? ['the owner still votes two blocks after the proof'] : []),
    ...status.filter((one) => one !== 'jailed, power 0').map((one) => `the owner is ${one}`),
  ]
}
