import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proposeAllocation } from '#node'
import { duties, scoreOf, sharesOf, taskOf } from '#protocol'
import type { OperatorId, Statement } from '#records'
import { idealCrypto } from '../../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../../test/support/ledger-network.ts'
import { introduce, taskStatement } from '../../../../test/support/ledger-script.ts'

const blockMs = 250
const epochMs = 4_000
/** A task every two blocks: eight an epoch. */
const blocksPerTask = 2
const slowOperator = 2
/** A slow operator commits so many blocks after the others: still before the deadline. */
const slowBlocks = 8

/** A network that lives by its own rules: every duty is answered, by one operator late. */
class LivingNetwork {
  readonly network = new LedgerNetwork(
    7,
    {
      parameters: [
        { name: 'epochMs', value: BigInt(epochMs) },
        { name: 'allocationLeadMs', value: 1_000n },
      ],
    },
    idealCrypto,
  )
  /** Blocks from the draw to the agreement of each task that ended. */
  latencies: number[] = []
  isSlow = false
  readonly #open = new Set<`0x${string}`>()

  constructor() {
    introduce(this.network)
  }

  /** Part of the tasks that the slow operator is in. */
  share(): number {
    const { ledger } = this.network
    const spec = ledger.services.get('byte') ?? assert.fail()
    return (sharesOf(ledger, spec).get(slowOperator) ?? 0) / 1e6
  }

  live(epochs: number): void {
    for (let block = 0; block < (epochs * epochMs) / blockMs; block++) this.#step(block)
  }

  #step(block: number): void {
    const { network } = this
    const reports = network.operators.flatMap(({ id }) => {
      const said = duties(network.ledger, id, network.timeMs).flatMap((duty): Statement[] => {
        if (duty.kind === 'reveal') return [taskStatement(id, duty, 100)]
        if (duty.kind === 'execute')
          return this.#isReady(id, duty.task.drawnHeight) ? [taskStatement(id, duty, 100)] : []
        if (duty.kind !== 'solve' || id !== 1) return []
        const { epoch, programme } = duty.competition
        return [
          { kind: 'allocation', proposal: proposeAllocation(epoch, programme) ?? assert.fail() },
        ]
      })
      return said.length > 0 ? [network.report(id, said)] : []
    })
    const asked = block % blocksPerTask === 0 ? [network.task()] : []
    network.block([...asked, ...reports], blockMs)
    for (const one of asked) this.#open.add(network.idOf(one))
    this.#collect()
  }

  #isReady(id: OperatorId, drawnHeight: number): boolean {
    return !this.isSlow || id !== slowOperator || this.network.height >= drawnHeight + slowBlocks
  }

  #collect(): void {
    for (const id of this.#open) {
      const task = taskOf(this.network.ledger, id)
      if (task?.status === 'accepted' || task?.status === 'committing') continue
      if (task?.status === 'revealing') continue
      assert.equal(task?.status, 'agreed')
      this.latencies.push(this.network.height - (task?.drawnHeight ?? 0))
      this.#open.delete(id)
    }
  }
}

test('feedback: a slow operator loses its work within three epochs, and has it back once well', () => {
  const living = new LivingNetwork()
  living.live(5)
  const healthy = living.share()
  assert(Math.abs(healthy - 4 / 7) < 0.06, `${healthy}`)
  const healthyMost = Math.max(...living.latencies)
  living.isSlow = true
  living.live(3)
  assert(living.share() < healthy / 3, `${living.share()}`)
  living.latencies = []
  living.live(2)
  assert(living.share() < healthy / 3 && living.share() > 0, `${living.share()}`)
  assert(Math.max(...living.latencies) <= 1.2 * healthyMost, `${living.latencies}`)
  assert(scoreOf(living.network.ledger, 'byte', slowOperator).late > 0)
  living.isSlow = false
  living.live(20)
  assert(living.share() > 0.9 * healthy, `${living.share()} of ${healthy}`)
})
