import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import { privateKeyToAccount } from 'viem/accounts'
import { type Client, type ServiceView, type StatusView, type TaskView, toJson } from '#api'
import { DomainError, fromHex, type Hex, toHex, utf8, type Wei } from '#primitives'
import { type TaskRequest, taskDigest, taskTypes, typedDataDomain } from '#records'
import { formatPrice } from '#services/price'
import {
  clientOf,
  exitCodes,
  type GatewayOptions,
  requireHex,
  type Surroundings,
  UsageError,
} from './cli.ts'
import { type Followed, followTask } from './follow.ts'
import { loadKey } from './key.ts'

type SendOptions = GatewayOptions & {
  readonly keyFile?: string
  readonly maxFee?: string
  readonly wait?: boolean
  readonly timeout?: string
}

/** `nodeop task`: ask the network for something. */
export const taskCommand = (around: Surroundings, finish: (code: number) => void): Command =>
  new Command('task').description('ask a service of the network').addCommand(
    new Command('send')
      .description('sign a task and send it, such as: task send price ETH/USD')
      .argument('<service>', 'name of the service')
      .argument('<payload>', 'what it is asked: words, or bytes as 0x…')
      .option('--key-file <file>', 'key that signs and pays (on a devnet: a published one)')
      .option('--max-fee <wei>', 'the most to pay (default: what the service asks)')
      .option('--wait', 'follow the task until it is settled')
      .option('--timeout <seconds>', 'how long to follow (default 60)')
      .option('--rpc <urls>', 'gateways, separated by commas (or NODEOP_RPC)')
      .option('--json', 'print one JSON line')
      .action(async (service: string, payload: string, options: SendOptions) =>
        finish(await send(service, payload, options, around)),
      ),
  )

async function send(
  serviceName: string,
  payload: string,
  options: SendOptions,
  around: Surroundings,
): Promise<number> {
  const { io, cwd } = around
  const timeoutMs = secondsOf(options.timeout) * 1000
  const content = payloadOf(payload)
  const client = clientOf(options, around)
  const [state, services] = await Promise.all([client.nodeop_status(), client.nodeop_services()])
  const service = serviceOf(services, serviceName)
  const signed = await sign(
    {
      service: service.name,
      payload: content,
      maxFee: maxFeeOf(options.maxFee, service),
      validUntilMs: Date.now() + taskValidMs,
      salt: toHex(randomBytes(32)),
    },
    loadKey(options.keyFile, state.l1.chainId, cwd),
    state,
  )
  const id = await client.nodeop_sendTask(signed.sent)
  if (id !== signed.id)
    throw new WrongTaskIdError(`the gateway answered with another id: ${id}`, {})
  if (!options.json) io.write(`task ${id} accepted`)
  if (!options.wait) {
    if (options.json) io.write(toJson({ id }))
    return exitCodes.ok
  }
  return follow(client, id, timeoutMs, options.json ?? false, around)
}

/** A gateway's ledger refuses what is valid for longer than an hour. */
const taskValidMs = 300_000

async function sign(task: Omit<TaskRequest, 'client'>, key: Hex, state: StatusView) {
  const account = privateKeyToAccount(key)
  const request: TaskRequest = { ...task, client: account.address.toLowerCase() as Hex }
  const message = { ...request, payload: toHex(request.payload) }
  const signature = await account.signTypedData({
    domain: typedDataDomain(state.network.id),
    types: taskTypes,
    primaryType: 'Task',
    message: { ...message, validUntilMs: BigInt(request.validUntilMs) },
  })
  return {
    id: taskDigest(state.network.id, request),
    sent: { request: { ...message, maxFee: request.maxFee.toString() }, signature },
  }
}

async function follow(
  client: Client,
  id: Hex,
  timeoutMs: number,
  json: boolean,
  { io }: Surroundings,
): Promise<number> {
  const tell = json ? () => {} : (line: string) => io.write(`  ${line}`)
  const followed = await followTask(client, id, timeoutMs, tell)
  if (json) io.write(toJson({ id, ...summaryOf(followed) }))
  else io.write(describeEnd(id, followed))
  return followed.proof.status === 'settled' ? exitCodes.ok : exitCodes.failed
}

const summaryOf = ({ proof, isOver }: Followed) => ({
  status: proof.status,
  isOver,
  reason: proof.reason,
  result: proof.task?.result,
  answer: proof.task ? answerOf(proof.task) : undefined,
  leaf: proof.leaf?.index,
  checkpoint: proof.checkpoint?.index,
  l1: proof.l1,
})

function describeEnd(id: Hex, { proof, isOver }: Followed): string {
  const { status, reason, task } = proof
  if (!isOver) return `not settled in time (${status}); look again with: nodeop prove ${id}`
  if (status !== 'settled') return `${status}${reason ? `: ${reason}` : ''}`
  return `settled: ${(task && answerOf(task)) ?? task?.result ?? 'no result'}`
}

/** A result in the service's own terms, when this program knows them. */
const answerOf = ({ request, result }: TaskView): string | undefined =>
  request.service === 'price' && result
    ? formatPrice(BigInt.asIntN(256, BigInt(result)))
    : undefined

function serviceOf(services: readonly ServiceView[], name: string): ServiceView {
  const assigned = services.filter(({ mode }) => mode === 'assigned')
  const found = assigned.find((service) => service.name === name)
  if (found) return found
  const names = assigned.map((service) => service.name).join(', ')
  throw new UsageError(`service ${JSON.stringify(name)} is not allowed; allowed: ${names}`)
}

const payloadOf = (text: string): Uint8Array =>
  text.startsWith('0x') ? fromHex(requireHex('payload', text, (text.length - 2) >> 1)) : utf8(text)

function maxFeeOf(text: string | undefined, service: ServiceView): Wei {
  const wanted = text ?? service.fee
  if (/^\d{1,77}$/.test(wanted)) return BigInt(wanted) as Wei
  throw new UsageError(`--max-fee ${JSON.stringify(wanted)} is not allowed; allowed: whole wei`)
}

/** Longest that a command follows a task. */
const maxTimeoutSeconds = 3_600

function secondsOf(text = '60'): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (seconds >= 1 && seconds <= maxTimeoutSeconds) return seconds
  const allowed = `whole seconds from 1 to ${maxTimeoutSeconds}`
  throw new UsageError(`--timeout ${JSON.stringify(text)} is not allowed; allowed: ${allowed}`)
}

/** The gateway acknowledged another task than the one that was signed. */
export class WrongTaskIdError extends DomainError<'WrongTaskId', object> {
  override readonly code = 'WrongTaskId'
}
