// Drives a network of ledgers at random: operators of any conduct, an L1 that does as it likes,
// late reports and garbage. One seed, one history.
import { proposeAllocation } from '#node'
import { concatBytes, type Hex, randomStream, sha256, toHex, uint64Bytes } from '#primitives'
import { type Duty, duties, l1EventsToBring, operatorOf } from '#protocol'
import {
  chainL1Digest,
  emptyL1Digest,
  encodeTransaction,
  maxL1Events,
  type OperatorId,
  resultDigest,
  type Statement,
  type Transaction,
  type TransactionResult,
} from '#records'
import { L1Model } from './l1-model.ts'
import { instanceOf, type LedgerNetwork } from './ledger-network.ts'
import { nonceOf, shareOf, taskStatement, testSalt } from './ledger-script.ts'

/** How an operator behaves. */
export const conducts = ['honest', 'silent', 'lying', 'copying', 'bad-shares', 'forked'] as const
type Conduct = (typeof conducts)[number]

/** A report that was said, and has not come into a block yet. */
type InFlight = { readonly transaction: Transaction & { kind: 'report' }; readonly delay: number }

/** A block that was decided, with what it held. */
export type Step = {
  readonly transactions: readonly Transaction[]
  readonly results: readonly TransactionResult[]
}

export class LedgerDriver {
  readonly network: LedgerNetwork
  readonly l1 = new L1Model()
  /** Who has ever sent a bad share. */
  readonly culprits = new Set<OperatorId>()
  /** Every task that was accepted. */
  readonly accepted = new Set<Hex>()
  readonly #below: (n: number) => number
  readonly #conduct = new Map<OperatorId, Conduct>()
  readonly #instance = new Map<OperatorId, Hex>()
  #inFlight: InFlight[] = []

  constructor(network: LedgerNetwork, seed: number) {
    this.network = network
    const stream = randomStream(sha256(uint64Bytes(seed)))
    this.#below = (n) => stream.nextBelow(n)
  }

  /** One block of the wild kind. */
  step(): Step {
    if (this.#one(6)) this.#conduct.set(this.#anyone(), this.#pick(conducts))
    if (this.#one(25))
      this.#instance.set(this.#anyone(), toHex(sha256(uint64Bytes(this.#below(4)))))
    this.#moveL1()
    this.#speak(() => this.#below(3))
    const waiting = [...this.#due(), ...this.#clients(), ...this.#bring()]
    const stepMs = this.#one(20) ? 5_000 + this.#below(20_000) : 50 + this.#below(900)
    return this.#decide(waiting, stepMs, this.#one(6))
  }

  /** One block in which everyone is honest and on time, L1 is served, and nobody asks for more. */
  calmStep(): Step {
    this.#conduct.clear()
    const { ledger } = this.network
    const newest = this.l1.submittable(ledger).at(-1)
    if (newest) this.l1.record(newest, 0)
    for (const leaf of this.l1.executable(ledger)) this.l1.execute(leaf, true)
    this.#speak(() => 0)
    return this.#decide([...this.#due(), ...this.#bring()], 600, false)
  }

  #decide(transactions: readonly Transaction[], stepMs: number, isBare: boolean): Step {
    const { network } = this
    const proof = isBare ? [] : [network.randomness()]
    const all = [...proof, ...transactions]
    const encoded = all.map(encodeTransaction)
    const garbage = this.#one(4) ? [this.#garbage(encoded)] : []
    const results = network.rawBlock([...encoded, ...garbage], stepMs).slice(0, all.length)
    for (const [place, one] of all.entries())
      if (one.kind === 'task' && results[place]?.ok) this.accepted.add(network.idOf(one))
    return { transactions: all, results }
  }

  /** Random bytes, or a transaction with a fault. */
  #garbage(encoded: readonly Uint8Array[]): Uint8Array {
    const random = sha256(uint64Bytes(this.#below(2 ** 40)))
    if (encoded.length === 0 || this.#one(2)) return concatBytes(random, random)
    const bytes = this.#pick(encoded).slice()
    bytes[this.#below(bytes.length)] = random[0] ?? 0
    return bytes
  }

  #clients(): Transaction[] {
    const { network } = this
    const service = this.#pick(['byte', 'text', 'nothing'])
    const payload = new Uint8Array([this.#below(256)])
    return [
      ...(this.#one(3) ? [network.task({ service, payload })] : []),
      ...(this.#one(4) ? [{ kind: 'call', service: 'tally', payload } as const] : []),
    ]
  }

  #moveL1(): void {
    const { ledger, client } = this.network
    const certified = this.l1.submittable(ledger)
    if (certified.length > 0 && this.#one(3)) this.l1.record(this.#pick(certified), this.#below(6))
    const leaves = this.l1.executable(ledger)
    if (leaves.length > 0 && this.#one(2)) this.l1.execute(this.#pick(leaves), !this.#one(4))
    if (this.#one(8)) this.l1.deposit(client.address, BigInt(this.#below(5_000)))
  }

  /** The next L1 events, when they are vouched for; sometimes with a lie. */
  #bring(): Transaction[] {
    const agreed = this.network.ledger.chain.l1.events
    const known = this.l1.events.slice(agreed, agreed + maxL1Events)
    const events = l1EventsToBring(this.network.ledger, known)
    const lie = { ...known[0], amountWei: 10n ** 30n } as (typeof known)[0]
    return [
      ...(known.length > 0 && this.#one(9) ? [{ kind: 'l1-events', events: [lie] } as const] : []),
      ...(events.length > 0 ? [{ kind: 'l1-events', events } as const] : []),
    ]
  }

  /** Everyone says what they have to say; some of it arrives later. */
  #speak(delay: () => number): void {
    const { network } = this
    for (const { id } of network.operators) {
      if (this.#conductOf(id) === 'silent') continue
      const instance = this.#instanceOf(id)
      const said = duties(network.ledger, id, network.timeMs).flatMap((duty) =>
        this.#answer(id, duty),
      )
      if (said.length === 0 && operatorOf(network.ledger, id)?.instance === instance) continue
      const transaction = network.report(id, said, { instance })
      this.#inFlight.push({ transaction, delay: delay() })
    }
  }

  #due(): Transaction[] {
    const arrived = this.#inFlight.filter(({ delay }) => delay <= 0)
    this.#inFlight = this.#inFlight
      .filter(({ delay }) => delay > 0)
      .map((one) => ({ ...one, delay: one.delay - 1 }))
    return arrived.map(({ transaction }) => transaction)
  }

  #answer(id: OperatorId, duty: Duty): Statement[] {
    const instance = this.#instanceOf(id)
    switch (duty.kind) {
      case 'publish-nonces': {
        const indices = Array.from({ length: duty.count }, (_, i) => duty.fromIndex + i)
        const commitments = indices.map((index) => nonceOf(this.network, id, index, instance))
        return [{ kind: 'nonces', commitments }]
      }
      case 'sign':
        return this.#share(id, duty, instance)
      case 'execute':
      case 'reveal':
        return [this.#result(id, duty)]
      case 'vouch':
        return this.#view(id, duty.events)
      case 'solve':
        return this.#solve(id, duty)
      default:
        return []
    }
  }

  /** No share for a session that holds a nonce of an instance that is gone. */
  #share(id: OperatorId, duty: Duty & { kind: 'sign' }, instance: Hex): Statement[] {
    const own = duty.session.signers.find(({ operator }) => operator === id)
    const { hiding } = nonceOf(this.network, id, own?.nonce.index ?? 0, instance)
    if (own?.nonce.hiding !== hiding) return []
    if (this.#conductOf(id) !== 'bad-shares') return [shareOf(this.network, id, duty, instance)]
    this.culprits.add(id)
    const { checkpoint, attempt } = duty.session
    return [{ kind: 'share', checkpoint, attempt, share: testSalt }]
  }

  #result(id: OperatorId, duty: Duty & { kind: 'execute' | 'reveal' }): Statement {
    const { committee, id: task, attempt } = duty.task
    const copied = committee.find(({ digest, operator }) => digest && operator !== id)
    if (this.#conductOf(id) === 'copying' && copied?.digest)
      return duty.kind === 'execute'
        ? { kind: 'commit', task, attempt, digest: copied.digest }
        : {
            kind: 'reveal',
            task,
            attempt,
            result: copied.result ?? new Uint8Array(),
            salt: testSalt,
          }
    // A result depends on the task alone, so that who lies in between opens what it committed.
    const truth = 100 + (Number.parseInt(task.slice(-2), 16) % 50)
    return taskStatement(id, duty, this.#isLiar(id, task) ? 250 : truth)
  }

  /** A liar's proposal gives out one unit that is not there. */
  #solve(id: OperatorId, { competition }: Duty & { kind: 'solve' }): Statement[] {
    const proposal = proposeAllocation(competition.epoch, competition.programme)
    if (!proposal) return []
    if (this.#conductOf(id) !== 'lying') return [{ kind: 'allocation', proposal }]
    const shortfall = proposal.shortfall.map((missing) => missing + 1)
    return [{ kind: 'allocation', proposal: { ...proposal, shortfall } }]
  }

  #isLiar(id: OperatorId, task: Hex): boolean {
    const seed = resultDigest({
      ...{ task, attempt: 1, operator: id, salt: testSalt },
      result: new Uint8Array(),
    })
    return this.#conductOf(id) === 'lying' || (this.#conduct.size > 0 && seed.endsWith('0'))
  }

  #view(id: OperatorId, agreed: number): Statement[] {
    const isCalm = this.#conduct.size === 0
    const most = Math.min(this.l1.events.length, agreed + maxL1Events)
    const events = isCalm ? most : agreed + this.#below(most - agreed + 1)
    const digest = this.l1.events.slice(0, events).reduce(chainL1Digest, emptyL1Digest)
    const fork = this.#conductOf(id) === 'forked'
    return [{ kind: 'view', view: { block: events + 1, events, digest, fork } }]
  }

  #conductOf = (id: OperatorId): Conduct => this.#conduct.get(id) ?? 'honest'
  #instanceOf = (id: OperatorId): Hex => this.#instance.get(id) ?? instanceOf(id)
  #anyone = (): OperatorId => this.#pick(this.network.operators).id
  #pick = <T>(from: readonly T[]): T => from[this.#below(from.length)] as T
  #one = (chances: number): boolean => this.#below(chances) === 0
}
