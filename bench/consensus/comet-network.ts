import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type CometMempool,
  type CometTiming,
  cometTimings,
  createCometRpc,
  idleWaitMs,
  maxBlockBytes,
  nodeIdOf,
  writeHome,
} from '#consensus'
import { freePorts } from '#devnet'
import { start as launch } from '../../test/processes.ts'
import { genesisOf } from './comet-genesis.ts'
import { type PayloadNetwork, payloadNetwork } from './payload-operator.ts'

/**
 * What CometBFT runs: our ledger over a socket, with the `app` mempool or with CometBFT's own; an
 * application over our socket that does nothing; or CometBFT's own within its process.
 */
export type Contender = 'ours' | 'flood' | 'empty' | 'kvstore'

/** CometBFT nodes on this machine, and the processes of their applications. */
export type CometNetwork = {
  readonly rpcUrls: readonly string[]
  /** Processor time of all its processes since their start, microseconds. */
  readonly cpuUs: () => number
  readonly stop: () => Promise<void>
}

/** CometBFT's own clocks, but for a shorter wait after a commit. */
export const commit100: CometTiming = { ...cometTimings.wan, commitMs: 100 }

const operators = 4

/** How often a node that starts is looked at, and for how long. */
const lookMs = 100
const looks = 300

/** How long a process may take to end by itself. */
const endMs = 5_000

/** Starts four nodes, which end with this process, and waits until each of them serves. */
export async function startCometNetwork(
  binary: string,
  contender: Contender,
  timing: CometTiming,
): Promise<CometNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-bench-comet-'))
  const network = payloadNetwork(operators, Date.now())
  const ports = await freePorts(2 * operators)
  const processes: ChildProcess[] = []
  const rpcUrls = network.members.map(({ id }) => `http://127.0.0.1:${ports[id + operators - 1]}`)
  const stop = async () => {
    await Promise.all(processes.map(end))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const nodes = network.members.map(({ id }) => {
      const home = join(folder, String(id))
      const socket = join(folder, `${id}.sock`)
      writeNodeHome({ network, id, home, ports, contender, timing, socket })
      return { id, home, socket }
    })
    // Applications first, all at once: nodes that wait long for each other call again ever later.
    if (contender !== 'kvstore')
      await Promise.all(
        nodes.map(({ id, home, socket }) =>
          startApplication(
            [
              ...[contender, mempoolOf(contender), id, network.genesis.timeMs],
              ...[socket, join(home, 'ledger'), idleWaitMs(timing)],
            ],
            processes,
          ),
        ),
      )
    for (const { home } of nodes)
      processes.push(launch(binary, ['start', '--home', home], { stdio: 'ignore' }))
    for (const url of rpcUrls) await whenServing(url)
  } catch (error) {
    await stop()
    throw error
  }
  const cpuUs = () => processes.reduce((sum, { pid }) => sum + (pid ? cpuOf(pid) : 0), 0)
  return { rpcUrls, cpuUs, stop }
}

function writeNodeHome(node: {
  readonly network: PayloadNetwork
  readonly id: number
  readonly home: string
  readonly ports: readonly number[]
  readonly contender: Contender
  readonly timing: CometTiming
  readonly socket: string
}): void {
  const { network, id, home, ports, contender, timing, socket } = node
  const member = network.members.find((one) => one.id === id)
  if (!member) throw new Error(`defect: no operator ${id}`)
  const peers = network.members.filter((one) => one.id !== id)
  mkdirSync(join(home, 'ledger'), { recursive: true })
  writeHome({
    ...{ folder: home, consensusSeed: member.consensusSeed, hasSigned: false },
    genesis: genesisOf(network),
    config: {
      moniker: `node-${id}`,
      abciAddress: contender === 'kvstore' ? 'kvstore' : `unix://${socket}`,
      rpcAddress: `tcp://127.0.0.1:${ports[id + operators - 1]}`,
      peers: {
        listen: `127.0.0.1:${ports[id - 1]}`,
        persistent: peers.map(
          (peer) => `${nodeIdOf(peer.consensusSeed)}@127.0.0.1:${ports[peer.id - 1]}`,
        ),
      },
      ...{ timing, maxTransactionBytes: maxBlockBytes, mempool: mempoolOf(contender) },
    },
  })
}

const mempoolOf = (contender: Contender): CometMempool =>
  contender === 'flood' || contender === 'kvstore' ? 'flood' : 'app'

/** Starts one operator's process; it says a line when its socket listens. */
async function startApplication(
  args: readonly (string | number)[],
  processes: ChildProcess[],
): Promise<void> {
  const program = fileURLToPath(new URL('comet-operator.ts', import.meta.url))
  const child = launch(process.execPath, [program, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  processes.push(child)
  await Promise.race([
    once(child.stdout ?? child, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error(`operator ${args[1]} did not start`))),
  ])
}

async function whenServing(url: string): Promise<void> {
  const rpc = createCometRpc(url.replace('http', 'tcp'))
  const height = () =>
    rpc.status().then(
      (status) => status.height,
      () => 0,
    )
  for (let look = 0; (await height()) === 0; look++) {
    if (look === looks) throw new Error(`no block at ${url} within ${(looks * lookMs) / 1000} s`)
    await sleep(lookMs)
  }
  rpc.close()
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  // A node whose application has gone first may wait for it for ever.
  const kill = setTimeout(() => child.kill('SIGKILL'), endMs)
  await once(child, 'exit')
  clearTimeout(kill)
}

/** Ticks of 10 ms, user and system, as Linux counts them. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}
