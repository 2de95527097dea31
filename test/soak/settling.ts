// What became of all that gateways accepted: in the network's own words, then recounted without it.
import { setTimeout as pass } from 'node:timers/promises'
import { createClient } from '#api'
import type { Load } from '#devnet'
import { systemClock } from '#node'
import type { Hex } from '#primitives'
import { audit } from '../support/auditor.ts'

/** How many were accepted, and what is wrong with them. */
export type Settled = {
  /** Transactions and tasks whose hash or id was returned. */
  readonly accepted: number
  /** Of these, neither on L1 nor ended with a recorded reason. */
  readonly lost: number
  /** Hashes in two blocks, leaves executed twice, subjects under two leaves. */
  readonly twice: number
  /** What the recount found otherwise than the network says. */
  readonly problems: readonly string[]
}

/** What is not on L1 this long after its load has ended is lost. */
const limitMs = 120_000

/** Where to ask. */
export type Endpoints = {
  readonly gateways: readonly string[]
  readonly l1Url: string
  readonly outbox: Hex
}

/**
 * Waits until all that was accepted has ended, then recounts it.
 *
 * @param waitMs - at most.
 */
export async function settle(
  { records }: Pick<Load, 'records'>,
  endpoints: Endpoints,
  waitMs = limitMs,
): Promise<Settled> {
  const { gateways } = endpoints
  const clients = gateways.map((url) => createClient([url]))
  const acceptedOf = (sent: Load['records']['tasks']) =>
    [...sent.values()].filter(({ status }) => status === 'accepted').map(({ id }) => id)
  const transactions = acceptedOf(records.transactions)
  const tasks = acceptedOf(records.tasks)
  const ends = new Map<Hex, string>()
  const open = () => [...transactions, ...tasks].filter((id) => !ends.has(id))
  const deadlineMs = systemClock.nowMs() + waitMs
  do {
    for (const id of open()) {
      const end = await endOf(clients, id)
      if (end) ends.set(id, end)
    }
    if (open().length > 0 && waitMs > 0) await pass(1_000)
  } while (open().length > 0 && systemClock.nowMs() < deadlineMs)
  const isThere = (id: Hex) => isOnL1(ends.get(id))
  const recount = await audit({
    ...{ gatewayUrl: gateways[0] as string, l1Url: endpoints.l1Url, outbox: endpoints.outbox },
    transactions: transactions.filter(isThere),
    tasks: tasks.filter(isThere),
  })
  return {
    accepted: transactions.length + tasks.length,
    lost: open().length,
    twice: recount.twice.length,
    problems: [
      ...recount.problems,
      ...differing('transactions on L1', recount.transactions),
      ...differing('tasks on L1', recount.tasks),
    ],
  }
}

const differing = (
  what: string,
  { sent, onL1 }: { readonly sent: number; readonly onL1: number },
) => (sent === onL1 ? [] : [`${what}: ${sent} by the network's words, ${onL1} by the recount`])

const isOnL1 = (end: string | undefined): boolean => end === 'onL1' || end === 'settled'

const ends: readonly string[] = ['onL1', 'settled', 'expired', 'refused']

/** How it ended, when any gateway knows. */
async function endOf(
  clients: readonly ReturnType<typeof createClient>[],
  id: Hex,
): Promise<string | undefined> {
  for (const client of clients) {
    // A gateway that does not serve yet is asked again in the next turn.
    const proof = await client.nodeop_getProof(id).catch(() => undefined)
    if (proof && ends.includes(proof.status)) return proof.status
  }
  return undefined
}
