import { join } from 'node:path'
import { createTransport, type Transport } from '#consensus'
import {
  createLogger,
  type L2,
  type OperatorOptions,
  type RunningOperator,
  shareL2,
  startOperator,
  systemRng,
} from '#node'
import type { OperatorId } from '#records'
import { troublesOf } from './chaos.ts'
import type { Operators, Surroundings } from './devnet.ts'
import { memberOf } from './network.ts'

/** Changes what an operator is started with. */
export type Adapt = (operator: OperatorOptions) => OperatorOptions

/** Operators in this process, who reach each other through memory. */
export class EmbeddedOperators implements Operators<RunningOperator> {
  readonly running = new Map<OperatorId, RunningOperator>()
  readonly #around: Surroundings
  readonly #adapt: Adapt
  readonly #sharedL2: L2 | undefined
  readonly #transport: Transport = createTransport()

  /** @param l2 - with `--share`: the engine of all operators. */
  constructor(around: Surroundings, adapt: Adapt, l2: L2 | undefined) {
    this.#around = around
    this.#adapt = adapt
    this.#sharedL2 = l2 && shareL2(l2)
  }

  async start(ids: readonly OperatorId[]): Promise<void> {
    for (const id of ids)
      this.running.set(id, await startOperator(this.#adapt(this.#optionsOf(id))))
  }

  async stop(id: OperatorId): Promise<void> {
    await this.running.get(id)?.stop()
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.running.values()].map((operator) => operator.stop()))
  }

  #optionsOf(id: OperatorId): OperatorOptions {
    const { options, genesis, folder, feeds, l1, link, slowness } = this.#around
    const member = memberOf(this.#around.members, id)
    const logger = createLogger(options.logLevel, { operator: member.name })
    return {
      ...member,
      ...troublesOf(options, id, join(folder, member.name), slowness),
      ...(this.#sharedL2 ? { l2: this.#sharedL2 } : {}),
      genesis,
      folder: join(folder, member.name),
      consensus: { engine: 'embedded', transport: this.#transport },
      l1Url: link?.url ?? l1.url,
      port: this.#portOf(id),
      feeds: feeds.urls,
      gateways: () => new Map([...this.running].map(([one, { url }]) => [one, url])),
      ...(options.keptBlocks === undefined ? {} : { keptBlocks: options.keptBlocks }),
      init: options.init,
      rng: systemRng,
      logger,
      onFailure: (error) => logger.error('operator failed', { error: String(error) }),
    }
  }

  /** The port that was asked for, or the free one that the first start has found. */
  #portOf(id: OperatorId): number {
    const { port } = this.#around.options
    const known = this.running.get(id)
    if (known) return Number(new URL(known.url).port)
    return port === 0 ? 0 : port + id - 1
  }
}
