// A CometBFT node's RPC, as whoever stands outside reads it.
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { socketFolder } from '#consensus'

/** A question, with CometBFT's parameters: numbers as text. */
export type CometQuestion = readonly [method: string, params: Readonly<Record<string, unknown>>]

/** A CometBFT node's RPC. */
export type CometNode = {
  /** The answer's `result`; rejects when there is none. */
  ask(...question: CometQuestion): Promise<unknown>
  /** Several at once: undefined in place of what it refuses. */
  askAll(questions: readonly CometQuestion[]): Promise<readonly unknown[]>
  close(): void
}

/** How long an answer may take, unless told: a stopped process gives none. */
const usualTimeoutMs = 5_000

/** @param home - CometBFT's folder, with the socket that its operator gave it. */
export function connectComet(home: string, timeoutMs = usualTimeoutMs): CometNode {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const post = async (body: unknown) =>
    JSON.parse(
      await postTo(join(socketFolder(home), 'rpc.sock'), agent, timeoutMs, JSON.stringify(body)),
    ) as unknown
  const callOf = ([method, params]: CometQuestion, id: number) => ({
    ...{ jsonrpc: '2.0', id, method, params },
  })
  return {
    async ask(...question) {
      const { result, error } = (await post(callOf(question, 0))) as Reply
      if (result === undefined) throw new Error(`${question[0]}: ${JSON.stringify(error)}`)
      return result
    },
    async askAll(questions) {
      if (questions.length === 0) return []
      const replies = [await post(questions.map(callOf))].flat() as readonly Reply[]
      const byId = new Map(replies.map(({ id, result }) => [id, result]))
      return questions.map((_, id) => byId.get(id))
    },
    close: () => agent.destroy(),
  }
}

type Reply = { readonly id: number; readonly result?: unknown; readonly error?: unknown }

function postTo(socketPath: string, agent: Agent, timeout: number, body: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const headers = { 'content-type': 'application/json' }
  const options = { socketPath, agent, method: 'POST', path: '/', headers, timeout }
  const asked = request(options, (response) => {
    const parts: Buffer[] = []
    response.on('data', (part: Buffer) => parts.push(part))
    response.on('error', reject)
    response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')))
  })
  asked.on('timeout', () => asked.destroy(new Error(`no answer in ${timeout} ms`)))
  asked.on('error', reject)
  asked.end(body)
  return promise
}
