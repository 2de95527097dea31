import { join } from 'node:path'
import { nodeIdOf } from '#consensus'
import {
  createDisk,
  makeGuard,
  type OperatorSettingsFile,
  saveOperatorFolder,
  saveSettings,
} from '#node'
import type { OperatorId } from '#records'
import type { Operators, Reached, Surroundings } from './devnet.ts'
import { freePort } from './free-port.ts'
import { type DevnetOperator, memberOf } from './network.ts'
import { ownerOf } from './network-file.ts'
import { type OperatorProcess, startOperatorProcess } from './operator-process.ts'

/** An operator in a process of its own: as its clients know it, and as the system does. */
export type ReachedProcess = Reached & {
  /** Of its latest start; undefined before the first. */
  readonly pid: number | undefined
}

/** Gives an operator other settings than the devnet would. */
export type AdaptSettings = (
  settings: OperatorSettingsFile,
  member: DevnetOperator,
) => OperatorSettingsFile

/** Where an operator is reached: the same as long as the devnet runs. */
type Place = {
  readonly gatewayPort: number
  /** `host:port` of its CometBFT node. */
  readonly node: string
}

/**
 * Operators that are processes of their own, each with a CometBFT of its own, as on several
 * machines: they share nothing but the loopback network.
 *
 * @param binary - the CometBFT that all of them run.
 */
export async function createProcessOperators(
  around: Surroundings,
  binary: string,
  adapt: AdaptSettings = (settings) => settings,
): Promise<Operators<ReachedProcess>> {
  const places = new Map<OperatorId, Place>()
  for (const { id } of around.members) places.set(id, await placeOf(around, id))
  for (const member of around.members) {
    const { genesis, folder } = around
    const disk = createDisk(join(folder, member.name))
    if (around.isNew) await makeGuard({ disk, ...ownerOf(genesis, member), logger: around.logger })
    await saveOperatorFolder(disk, { genesis, keys: member })
    await saveSettings(disk, adapt(settingsOf(around, member, places, binary), member))
  }
  return new ProcessOperators(around, places)
}

class ProcessOperators implements Operators<ReachedProcess> {
  readonly running = new Map<OperatorId, ReachedProcess>()
  readonly #processes = new Map<OperatorId, OperatorProcess>()
  readonly #around: Surroundings

  constructor(around: Surroundings, places: ReadonlyMap<OperatorId, Place>) {
    this.#around = around
    for (const [id, { gatewayPort }] of places)
      this.running.set(id, { url: urlOf(gatewayPort), pid: undefined })
  }

  async start(ids: readonly OperatorId[]): Promise<void> {
    const { members, folder, options, logger } = this.#around
    const starting = ids.map(async (id) => {
      const { name } = memberOf(members, id)
      const operator = startOperatorProcess({
        ...{ folder: join(folder, name), name, logger },
        ...{ init: options.init, logLevel: options.logLevel },
      })
      this.#processes.set(id, operator)
      this.running.set(id, { url: this.running.get(id)?.url ?? '', pid: operator.pid })
      await operator.serves
    })
    await Promise.all(starting)
  }

  /** By `kill -9`: whoever is on several machines can lose one without a word. */
  async stop(id: OperatorId): Promise<void> {
    await this.#processes.get(id)?.kill()
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((operator) => operator.end()))
  }
}

const urlOf = (port: number): string => `http://127.0.0.1:${port}`

/** On Linux the whole of 127.0.0.0/8 is this machine: operators have addresses of their own. */
async function placeOf({ options }: Surroundings, id: OperatorId): Promise<Place> {
  const { port } = options
  const host = process.platform === 'linux' ? `127.0.0.${id + 1}` : '127.0.0.1'
  return {
    gatewayPort: await freePort(port === 0 ? 0 : port + id - 1),
    node: `${host}:${await freePort(0, host)}`,
  }
}

/** What an operator's folder says of how to run it. */
function settingsOf(
  { members, feeds, l1, link, options }: Surroundings,
  member: DevnetOperator,
  places: ReadonlyMap<OperatorId, Place>,
  binary: string,
): OperatorSettingsFile {
  const place = (id: OperatorId) => places.get(id) ?? { gatewayPort: 0, node: '' }
  const own = place(member.id)
  return {
    operator: member.id,
    gateway: { port: own.gatewayPort },
    l1Url: link?.url ?? l1.url,
    feeds: [...feeds.urls],
    ...(options.keptBlocks === undefined ? {} : { keptBlocks: options.keptBlocks }),
    gateways: Object.fromEntries(
      members.map(({ id }) => [String(id), urlOf(place(id).gatewayPort)]),
    ),
    cometbft: {
      listen: own.node,
      peers: members
        .filter(({ id }) => id !== member.id)
        .map(({ id, secrets }) => `${nodeIdOf(secrets.consensusSeed)}@${place(id).node}`),
      timing: 'lan',
      binary,
    },
  }
}
