// What became of all that gateways accepted: in the network's own words, asked for while it runs,
// since nobody remembers an ending for ever; at the end recounted without them.
import { setTimeout as pass } from 'node:timers/promises'
import { createClient } from '#api'
import type { Load } from '#devnet'
import { systemClock } from '#node'
import type { Hex } from '#primitives'
import { audit } from '../support/auditor.ts'
import { maxTold } from './tally.ts'

/** How many were accepted, and what is wrong with them. */
export type Settled = {
  /** Transactions and tasks whose hash or id was returned. */
  readonly accepted: number
  /** Of these, neither on L1 nor ended with a recorded reason. */
  readonly lost: number
  /** Hashes in two blocks, leaves executed twice, subjects under two leaves. */
  readonly twice: number
  /** What was lost, and what the recount found otherwise than the network says. */
  readonly problems: readonly string[]
}

/** What is not on L1 this long after its load has ended is lost. */
const limitMs = 120_000
/** Most that a look asks for while others wait for it, and how many are asked for at a time. */
const perLook = 200
const atOnce = 20
/** What is younger than this has hardly come to L1. */
const youngMs = 10_000

/** Where to ask. */
export type Endpoints = {
  readonly gateways: readonly string[]
  readonly l1Url: string
  readonly outbox: Hex
}

type Records = Pick<Load, 'records'>
type Accepted = ReturnType<Load['records']['tasks']['get']> & {}

/** Follows what was accepted to its end. */
export type Endings = {
  /** Asks for some that have not ended yet, all of them by turns, each who accepted it. */
  look(): Promise<void>
  /** Asks every gateway for each that has not ended yet. @returns those that still have not. */
  lookAgain(): Promise<readonly Accepted[]>
  readonly endOf: (id: Hex) => string | undefined
}

/** @param gateways - of all operators. */
export function followEndings({ records }: Records, gateways: readonly string[]): Endings {
  const ends = new Map<Hex, string>()
  let turn = 0
  const open = () =>
    [...acceptedOf(records.transactions), ...acceptedOf(records.tasks)]
      .filter(({ id }) => !ends.has(id))
      .sort((a, b) => a.requestedMs - b.requestedMs)
  const ask = async (asked: readonly Accepted[], whom: (one: Accepted) => readonly string[]) => {
    for (let start = 0; start < asked.length; start += atOnce)
      await Promise.all(
        asked.slice(start, start + atOnce).map(async (one) => {
          const end = await findEnd(whom(one), one.id)
          if (end) ends.set(one.id, end)
        }),
      )
  }
  return {
    async look() {
      const untilMs = systemClock.nowMs() - youngMs
      const old = open().filter(({ requestedMs }) => requestedMs < untilMs)
      const start = turn % Math.max(1, old.length)
      const part = [...old.slice(start), ...old.slice(0, start)].slice(0, perLook)
      turn = start + part.length
      await ask(part, ({ answered }) => (answered ? [answered.gateway] : gateways))
    },
    async lookAgain() {
      await ask(open(), () => gateways)
      return open()
    },
    endOf: (id) => ends.get(id),
  }
}

/**
 * Waits until all that was accepted has ended, then recounts it.
 *
 * @param waitMs - at most.
 * @param endings - those that were followed from the beginning, if any were.
 */
export async function settle(
  load: Records,
  endpoints: Endpoints,
  waitMs = limitMs,
  endings = followEndings(load, endpoints.gateways),
): Promise<Settled> {
  const { gateways } = endpoints
  const transactions = acceptedOf(load.records.transactions)
  const tasks = acceptedOf(load.records.tasks)
  const deadlineMs = systemClock.nowMs() + waitMs
  let lost = await endings.lookAgain()
  while (lost.length > 0 && systemClock.nowMs() < deadlineMs) {
    await pass(1_000)
    lost = await endings.lookAgain()
  }
  const idsOnL1 = (sent: readonly Accepted[]) =>
    sent.map(({ id }) => id).filter((id) => isOnL1(endings.endOf(id)))
  const recount = await audit({
    ...{ gatewayUrl: gateways[0] as string, l1Url: endpoints.l1Url, outbox: endpoints.outbox },
    transactions: idsOnL1(transactions),
    tasks: idsOnL1(tasks),
  })
  const isTask = ({ id }: Accepted) => load.records.tasks.has(id)
  const told = lost
    .slice(0, maxTold)
    .map((one) => tell(isTask(one) ? 'task' : 'transaction', one, gateways))
  return {
    accepted: transactions.length + tasks.length,
    lost: lost.length,
    twice: recount.twice.length,
    problems: [
      ...(await Promise.all(told)),
      ...recount.problems,
      ...differing('transactions on L1', recount.transactions),
      ...differing('tasks on L1', recount.tasks),
    ],
  }
}

const acceptedOf = (sent: Load['records']['tasks']): readonly Accepted[] =>
  [...sent.values()].filter(({ status }) => status === 'accepted')

/** One that was lost: who accepted it, and what every gateway says of it now. */
async function tell(
  kind: string,
  { id, requestedMs, answered }: Accepted,
  gateways: readonly string[],
): Promise<string> {
  const says = gateways.map(async (url) => {
    const proof = await proofFrom(url, id)
    return `${url} ${proof ? [proof.status, proof.reason].join(' ').trim() : 'does not answer'}`
  })
  const by = answered ? ` by ${answered.gateway} at ${timeOf(answered.atMs)}` : ''
  const sent = `${kind} ${id}, due at ${timeOf(requestedMs)}, accepted${by}`
  return `${sent}, is lost: ${(await Promise.all(says)).join(', ')}`
}

const timeOf = (ms: number): string => new Date(ms).toISOString()

const differing = (
  what: string,
  { sent, onL1 }: { readonly sent: number; readonly onL1: number },
) => (sent === onL1 ? [] : [`${what}: ${sent} by the network's words, ${onL1} by the recount`])

const isOnL1 = (end: string | undefined): boolean => end === 'onL1' || end === 'settled'

const ends: readonly string[] = ['onL1', 'settled', 'expired', 'refused']

/** How it ended, when any of these gateways knows. */
async function findEnd(gateways: readonly string[], id: Hex): Promise<string | undefined> {
  for (const url of gateways) {
    // A gateway that does not serve yet is asked again in the next turn.
    const proof = await proofFrom(url, id)
    if (proof && ends.includes(proof.status)) return proof.status
  }
  return undefined
}

const proofFrom = (url: string, id: Hex) =>
  createClient([url])
    .nodeop_getProof(id)
    .catch(() => undefined)
