// Stands between operators and their L1, and holds every transaction that leaves them against all
// that left before. It outlives whoever is killed, so that what has reached it reaches L1 too.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseTransaction, recoverTransactionAddress } from 'viem'
import { createL1Client } from '#ethereum'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import type { SigningChecker } from '../support/signing-checker.ts'

/** A relay of JSON-RPC to an L1. */
export type L1Witness = {
  readonly url: string
  /** Different transactions that have left, and those among them that raise another's fees. */
  counts(): { readonly sent: number; readonly raised: number }
  close(): Promise<void>
}

/** @param target - where L1 listens now. */
export async function openL1Witness(
  target: () => string,
  checker: SigningChecker,
): Promise<L1Witness> {
  const seen: Seen = { raws: new Set(), calls: new Set(), nonces: new Map() }
  const current = followL1(target, (url) => forget(url, seen, checker))
  const server = createServer((request, response) => {
    relay(request, response, current, (raw) => watch(raw, seen, checker)).catch(() =>
      response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts: () => ({ sent: seen.raws.size, raised: seen.raws.size - seen.calls.size }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** All that has left. */
type Seen = {
  /** Transactions as they were signed, and the calls that they make, whatever their fees. */
  readonly raws: Set<Hex>
  readonly calls: Set<string>
  /** Highest nonce by account. */
  readonly nonces: Map<Hex, number>
}

/**
 * Where L1 listens now; a new process may have forgotten what the last one had, which is made good
 * before anything reaches it.
 */
function followL1(
  target: () => string,
  onNew: (url: string) => Promise<void>,
): () => Promise<string> {
  let known: { readonly url: string; readonly ready: Promise<void> } | undefined
  return async () => {
    const url = target()
    if (known?.url !== url) known = { url, ready: onNew(url) }
    await known.ready.catch((error: unknown) => {
      known = undefined // it does not listen yet: whoever asks next tries again
      throw error
    })
    return url
  }
}

/** Frees the nonces of what this L1 does not have. */
async function forget(url: string, seen: Seen, checker: SigningChecker): Promise<void> {
  const client = createL1Client(url)
  for (const [address, highest] of seen.nonces) {
    const count = await client.getTransactionCount({ address, blockTag: 'pending' })
    for (let nonce = count; nonce <= highest; nonce++) checker.ended(address, nonce)
  }
}

/** What is to be done when L1 refused a transaction. */
type OnRefused = () => void

type Call = { readonly id?: unknown; readonly method?: unknown; readonly params?: unknown }

async function relay(
  request: IncomingMessage,
  response: ServerResponse,
  current: () => Promise<string>,
  watchOne: (raw: Hex) => Promise<OnRefused>,
): Promise<void> {
  const body = await textOf(request)
  const calls = [JSON.parse(body)].flat() as readonly Call[]
  const url = await current()
  const refused = new Map<unknown, OnRefused>()
  for (const { id, method, params } of calls)
    if (method === 'eth_sendRawTransaction') refused.set(id, await watchOne((params as [Hex])[0]))
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body })
  const text = await answer.text()
  for (const { id, error } of [JSON.parse(text)].flat() as readonly Reply[])
    if (error && !isKnown.test(error.message)) refused.get(id)?.()
  response.writeHead(answer.status, headers).end(text)
}

type Reply = { readonly id?: unknown; readonly error?: { readonly message: string } }

/** L1 has it already: no refusal. */
const isKnown = /already (known|imported)/i

/**
 * Two transactions are the same call when chain, recipient, value and data are the same: then the
 * second only raises the fees. Any other is a second use of the nonce, unless L1 refused the first,
 * or has forgotten it.
 */
async function watch(raw: Hex, seen: Seen, checker: SigningChecker): Promise<OnRefused> {
  const account = await recoverTransactionAddress({ serializedTransaction: raw as `0x02${string}` })
  const { chainId, nonce = 0, to, value = 0n, data = '0x' } = parseTransaction(raw)
  const call = sha256Hex(utf8([chainId, to, value, data].join(' ')))
  const isNew = !seen.calls.has(`${account} ${nonce} ${call}`)
  checker.sent(account, nonce, call)
  seen.nonces.set(account, Math.max(nonce, seen.nonces.get(account) ?? 0))
  seen.raws.add(raw)
  seen.calls.add(`${account} ${nonce} ${call}`)
  return () => isNew && checker.ended(account, nonce)
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}
