import {
  chainIdOf,
  compareSources,
  createVerifier,
  headerHash,
  type LightBlock,
  type LightSource,
  readSignedHeader,
  readValidators,
  type TrustedBlock,
  validatorSetHash,
  verifyToHeight,
} from '#consensus'
import { DomainError, type Hex } from '#primitives'
import { type Genesis, networkId, type Validator } from '#records'

/** A block that an operator can begin to believe from: `cometbft.stateSync` in its settings. */
export type Trust = { readonly trustHeight: number; readonly trustHash: Hex }

/** What `findTrust` needs. */
export type TrustSearch = {
  readonly genesis: Genesis
  /** `host:port` of the RPC of two operators or more. */
  readonly servers: readonly string[]
  /** Absent: of a block that is about the latest. */
  readonly height?: number | undefined
  readonly nowMs: number
}

/** Blocks that the servers may be apart. */
const behindBlocks = 2

/** How far other clocks may run ahead of ours. */
const clockDriftNs = 10_000_000_000n

/** How long a server may take for an answer. */
const timeoutMs = 10_000

/**
 * A block that follows from the genesis, since those who stood behind it signed it, and that every
 * server shows. Nothing says here that no key of the genesis has been stolen since.
 *
 * @throws TrustFailedError
 */
export async function findTrust({ genesis, servers, height, nowMs }: TrustSearch): Promise<Trust> {
  const sources = servers.map(createRpcSource)
  const [first] = sources
  const [name] = servers
  if (!first || name === undefined) throw failed('no server was named')
  const target = height ?? Math.max(1, (await latestOf(name)) - behindBlocks)
  const trusted = beforeFirst(genesis)
  const nowNs = BigInt(nowMs) * 1_000_000n
  const options = {
    trustingPeriodNs: nowNs, // the genesis is believed however old it is
    clockDriftNs,
    trustLevel: { numerator: 1n, denominator: 3n },
    check: createVerifier(),
  }
  const bisected = await verifyToHeight(trusted, target, first, options, nowNs)
  if (!bisected.ok) throw failed(`${name}, block ${bisected.height}: ${bisected.reason}`)
  const block = bisected.trace.at(-1)
  if (!block) throw failed(`${name} has no block ${target}`)
  const witnesses = await Promise.all(sources.slice(1).map((source) => source(target)))
  const missing = servers[1 + witnesses.indexOf(undefined)]
  if (witnesses.includes(undefined)) throw failed(`${missing} has no block ${target}`)
  const compared = await compareSources(
    block,
    witnesses.map((witness) => async () => witness),
  )
  if (!compared.ok) throw failed(`the servers show different blocks ${target}: ${compared.reason}`)
  return { trustHeight: target, trustHash: headerHash(block.header) }
}

/** What stands before block 1: the validators of the genesis are those of the next block. */
function beforeFirst(genesis: Genesis): TrustedBlock {
  const nextValidators = genesis.operators.map(({ consensusKey, power }) => ({
    consensusKey,
    power,
  }))
  const none: Hex = '0x'
  return {
    nextValidators,
    header: {
      blockVersion: 0n,
      appVersion: 0n,
      chainId: chainIdOf(networkId(genesis)),
      height: 0,
      timeNs: BigInt(genesis.timeMs) * 1_000_000n - 1n, // block 1 has the genesis' own time
      lastBlock: undefined,
      lastCommitHash: none,
      dataHash: none,
      validatorsHash: none,
      nextValidatorsHash: validatorSetHash(nextValidators),
      consensusHash: none,
      appHash: none,
      lastResultsHash: none,
      evidenceHash: none,
      proposerAddress: none,
    },
  }
}

/** Light blocks by CometBFT's RPC. */
const createRpcSource =
  (server: string): LightSource =>
  async (height): Promise<LightBlock | undefined> => {
    const { signed_header } = (await ask(server, `commit?height=${height}`)) ?? {}
    if (signed_header === undefined) return undefined
    const { header, commit } = readSignedHeader(signed_header)
    const validators = await validatorsAt(server, height)
    return { header, commit, validators, nextValidators: await validatorsAt(server, height + 1) }
  }

/** As many as CometBFT gives at a time. */
const pageSize = 100

async function validatorsAt(server: string, height: number): Promise<readonly Validator[]> {
  const all: Validator[] = []
  for (let page = 1; ; page++) {
    const path = `validators?height=${height}&per_page=${pageSize}&page=${page}`
    const answer = await ask(server, path)
    const some = readValidators(answer?.validators)
    all.push(...some)
    if (some.length < pageSize || all.length >= Number(answer?.total)) return all
  }
}

async function latestOf(server: string): Promise<number> {
  const { signed_header } = (await ask(server, 'commit')) ?? {}
  return readSignedHeader(signed_header).header.height
}

/** The result of a call; undefined when it was refused. */
async function ask(
  server: string,
  path: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const url = `http://${server}/${path}`
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    const answer = (await response.json()) as { readonly result?: Record<string, unknown> }
    return answer.result
  } catch (cause) {
    throw new TrustFailedError(`${url}: ${String(cause)}`, {}, cause)
  }
}

const failed = (message: string): TrustFailedError => new TrustFailedError(message, {})

/** No block was found that all servers show and that follows from the genesis. */
export class TrustFailedError extends DomainError<'TrustFailed'> {
  override readonly code = 'TrustFailed'
}
