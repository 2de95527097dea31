import { resolve } from 'node:path'
import { Command } from 'commander'
import { toJson } from '#api'
import { exitCodes, type Surroundings, UsageError } from './cli.ts'

type TrustOptions = {
  readonly data?: string
  readonly servers?: string
  readonly height?: string
  readonly json?: boolean
}

/** `nodeop trust`: a block to join from, shown by several operators. */
export const trustCommand = (around: Surroundings, finish: (code: number) => void): Command =>
  new Command('trust')
    .description('print a block that a new operator can begin from, by state sync')
    .option('--data <folder>', "the operator's folder, with the genesis (default: .)")
    .option('--servers <list>', "host:port of two operators' RPC or more, separated by commas")
    .option('--height <number>', 'of the block (default: about the latest)')
    .option('--json', 'print it as one JSON line')
    .action(async (options: TrustOptions) => finish(await trust(options, around)))

async function trust(options: TrustOptions, { io, cwd }: Surroundings): Promise<number> {
  const servers = serversOf(options.servers)
  const height = heightOf(options.height)
  const { createDisk, findTrust, loadGenesis, systemClock } = await import('#node')
  const genesis = await loadGenesis(createDisk(resolve(cwd, options.data ?? '.')))
  const found = await findTrust({ genesis, servers, height, nowMs: systemClock.nowMs() })
  const stateSync = { servers, ...found }
  io.write(options.json ? toJson(stateSync) : `"stateSync": ${JSON.stringify(stateSync, null, 2)}`)
  return exitCodes.ok
}

function serversOf(text = ''): readonly string[] {
  const servers = text.split(',').map((server) => server.trim())
  if (servers.length >= 2 && servers.every((server) => /^[^\s/]+:\d{1,5}$/.test(server)))
    return servers
  throw new UsageError(
    `--servers ${JSON.stringify(text)} is not allowed; allowed: host:port of two or more, ` +
      'separated by commas',
  )
}

function heightOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new UsageError(
    `--height ${JSON.stringify(text)} is not allowed; allowed: a height, 1 or more`,
  )
}
