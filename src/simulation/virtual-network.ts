import { type Hex, keccak256, sha256Hex, toHex, uint64Bytes, utf8, type Wei } from '#primitives'
import {
  beginBlock,
  type Duty,
  duties,
  type Environment,
  endBlock,
  genesisLedger,
  type Ledger,
  operatorOf,
  randomnessAlpha,
  taskOf,
  withOperator,
} from '#protocol'
import {
  type AllocationProgramme,
  type AllocationProposal,
  type Declaration,
  encodeTransaction,
  isSameDeclaration,
  type Operator,
  type OperatorId,
  type Report,
  reportDigest,
  resultDigest,
  type Statement,
  type Task,
  type TaskRequest,
  type Transaction,
  taskDigest,
} from '#records'
import { type Chance, createChance } from './chance.ts'
import { Desk } from './desk.ts'
import { idealCrypto } from './ideal-crypto.ts'
import type { Scenario, ScenarioEvent, ScenarioService } from './scenario.ts'
import {
  clientKeys,
  operatorKeys,
  startMs,
  type VirtualKeys,
  virtualGenesis,
} from './virtual-genesis.ts'
import { VirtualL1 } from './virtual-l1.ts'
import { toWei, virtualService } from './virtual-service.ts'

/** Solves a competition: what an operator's solver does; undefined when it finds nothing. */
export type Propose = (
  epoch: number,
  programme: AllocationProgramme,
) => AllocationProposal | undefined

/** A task of which the ledger has made an end: it is agreed on, or has expired. */
export type EndedTask = {
  /** Place in the scenario's services. */
  readonly service: number
  readonly task: Task
  /** From the block that accepted it to this one. */
  readonly latencyMs: number
}

/** What came of one block. */
export type BlockFactsSeen = {
  /** Tasks that were refused, by the place of their service. */
  readonly refused: readonly number[]
  readonly ended: readonly EndedTask[]
}

type OpenTask = { readonly service: number; readonly acceptedMs: number }

/**
 * The ledger of a network with virtual operators, clients and L1, in virtual time: each block is
 * decided as asked, and executed by the ledger's own rules.
 */
export class VirtualNetwork {
  ledger: Ledger
  timeMs = startMs
  readonly desks: readonly Desk[]
  readonly #scenario: Scenario
  readonly #chance: Chance
  readonly #environment: Environment
  readonly #propose: Propose
  readonly #keys: readonly VirtualKeys[]
  readonly #client = clientKeys()
  readonly #l1 = new VirtualL1()
  readonly #open = new Map<Hex, OpenTask>()
  /** Records of those who have not joined, or have left. */
  readonly #absent = new Map<OperatorId, Operator>()
  #height = 0
  #sequence = 0
  #asked = 0

  constructor(scenario: Scenario, seed: number, propose: Propose) {
    this.#scenario = scenario
    this.#chance = createChance(seed)
    this.#propose = propose
    this.#keys = operatorKeys(scenario)
    this.#environment = environmentOf(scenario)
    this.ledger = genesisLedger(virtualGenesis(scenario, seed), this.#environment)
    this.desks = scenario.operators.map((one) => new Desk(one, scenario.epochMs, this.#chance))
    for (const [place, { isMember }] of this.desks.entries()) if (!isMember) this.#remove(place)
  }

  /** Lets an event of the scenario happen. */
  apply(event: ScenarioEvent & { kind: 'operators' }): void {
    for (const place of event.operators) {
      const desk = this.desks[place] as Desk
      desk.traits = { ...desk.traits, ...event.changes }
      if (event.does === 'stop' || event.does === 'start') desk.isOnline = event.does === 'start'
      if (event.does === 'leave' && desk.isMember) this.#remove(place)
      if (event.does === 'join' && !desk.isMember) this.#admit(place)
    }
  }

  /**
   * Decides one block: clients ask, operators report, L1 goes on.
   *
   * @param asked - how many tasks of each service clients ask for.
   */
  block(asked: readonly number[]): BlockFactsSeen {
    this.timeMs += this.#scenario.blockMs
    this.#l1.advance(this.ledger, this.timeMs)
    const tasks = asked.flatMap((count, service) =>
      Array.from({ length: count }, () => ({ service, transaction: this.#task(service) })),
    )
    const events = this.#l1.toBring(this.ledger)
    const results = this.#decide([
      ...tasks.map(({ transaction }) => transaction),
      ...this.desks.flatMap((_, place) => this.#report(place)),
      ...(events.length > 0 ? [{ kind: 'l1-events', events } as const] : []),
    ])
    const refused: number[] = []
    for (const [order, { service, transaction }] of tasks.entries()) {
      if (!results[order]?.ok) refused.push(service)
      else this.#open.set(this.#idOf(transaction.request), { service, acceptedMs: this.timeMs })
    }
    return { refused, ended: this.#collect() }
  }

  /** Who there is to say something: members that run. */
  #isSpeaking(place: number): boolean {
    const { isMember, isOnline } = this.desks[place] as Desk
    return isMember && isOnline
  }

  #decide(transactions: readonly Transaction[]) {
    this.#height += 1
    const members = [...this.desks.keys()].filter((place) => this.desks[place]?.isMember)
    const proposer = this.#keys[members[this.#height % members.length] ?? 0] as VirtualKeys
    const alpha = randomnessAlpha(this.ledger.constants.network, this.#height)
    const proof = toHex(idealCrypto.proveRandomness(proposer.vrfSecret, alpha))
    const all: readonly Transaction[] = [{ kind: 'randomness', proof }, ...transactions]
    const block = {
      height: this.#height,
      timeMs: this.timeMs,
      proposer: proposer.consensusKey,
      transactions: all.map(encodeTransaction),
      misbehaviour: [],
      hash: toHex(keccak256(uint64Bytes(this.#height))),
    }
    const ended = endBlock(beginBlock(this.ledger, block, this.#environment), [], this.#environment)
    this.ledger = ended.ledger
    return ended.results.slice(1)
  }

  #task(place: number): Transaction & { kind: 'task' } {
    const service = this.#scenario.services[place] as ScenarioService
    this.#asked += 1
    const request: TaskRequest = {
      client: this.#client.address,
      service: service.name,
      payload: new Uint8Array(),
      maxFee: toWei(service.fee),
      // Soon over, so that the ledger need not remember many.
      validUntilMs: this.timeMs + 1,
      salt: toHex(keccak256(uint64Bytes(this.#asked))),
    }
    const id = this.#idOf(request)
    return {
      kind: 'task',
      request,
      signature: idealCrypto.signDigest(id, this.#client.ledgerSecret),
    }
  }

  #idOf = (request: TaskRequest): Hex => taskDigest(this.ledger.constants.network, request)

  #report(place: number): Transaction[] {
    if (!this.#isSpeaking(place)) return []
    const id = place + 1
    const owed = duties(this.ledger, id, this.timeMs)
    const statements = [
      ...owed.flatMap((duty) => this.#answer(place, duty)),
      ...this.#declaration(place),
    ]
    if (statements.length === 0) return []
    this.#sequence += 1
    const report: Report = {
      network: this.ledger.constants.network,
      operator: id,
      sequence: this.#sequence,
      instance: sha256Hex(utf8(`instance ${id}`)),
      statements,
    }
    const { ledgerSecret } = this.#keys[place] as VirtualKeys
    const signature = idealCrypto.signDigest(reportDigest(report), ledgerSecret)
    return [{ kind: 'report', report, signature }]
  }

  /** Signing and submitting are taken for granted; see `VirtualL1`. */
  #answer(place: number, duty: Duty): readonly Statement[] {
    switch (duty.kind) {
      case 'execute':
      case 'reveal':
        return this.#result(place, duty)
      case 'solve': {
        const { epoch, programme } = duty.competition
        const proposal = place === this.#solver() ? this.#propose(epoch, programme) : undefined
        return proposal ? [{ kind: 'allocation', proposal }] : []
      }
      case 'vouch': {
        const view = this.#l1.viewAfter(duty.events)
        const isNew = view.digest !== operatorOf(this.ledger, place + 1)?.view.digest
        return isNew ? [{ kind: 'view', view }] : []
      }
      default:
        return []
    }
  }

  /** Operators solve in turn: all would find the same. */
  #solver(): number | undefined {
    const speaking = [...this.desks.keys()].filter((place) => this.#isSpeaking(place))
    return speaking[this.#height % speaking.length]
  }

  #result(place: number, { kind, task }: Duty & { kind: 'execute' | 'reveal' }): Statement[] {
    const service = this.#scenario.services.find(({ name }) => name === task.request.service)
    const desk = this.desks[place]
    if (!service || !desk) return []
    const { readyMs, result } = desk.workOn(task, service, this.timeMs, this.#isCaptured(task))
    const said = { task: task.id, attempt: task.attempt }
    const salt = sha256Hex(utf8(`salt ${place} ${task.id} ${task.attempt}`))
    if (kind === 'reveal') return [{ kind, ...said, result, salt }]
    if (readyMs > this.timeMs) return []
    const digest = resultDigest({ ...said, operator: place + 1, result, salt })
    return [{ kind: 'commit', ...said, digest }]
  }

  /** Whether those who collude are more than two thirds of a committee. */
  #isCaptured({ committee }: Task): boolean {
    const colluding = committee.filter(
      ({ operator }) => (this.desks[operator - 1]?.traits.collude ?? 0) > 0,
    )
    return 3 * colluding.length > 2 * committee.length
  }

  /** What an operator wants the ledger to hold of it, when it holds anything else. */
  #declaration(place: number): readonly Statement[] {
    const { traits } = this.desks[place] as Desk
    const { group = '' } = this.#scenario.operators[place] ?? {}
    const cost = toWei(traits.declaredCost ?? traits.cost)
    const declaration: Declaration = {
      capacity: traits.declaredCapacity ?? traits.capacity,
      costs: cost === 0n ? [] : this.#costs(cost),
      group,
    }
    const held = operatorOf(this.ledger, place + 1)?.declared
    return held && isSameDeclaration(held, declaration) ? [] : [{ kind: 'declare', declaration }]
  }

  #costs = (cost: Wei): Declaration['costs'] =>
    this.#scenario.services
      .map(({ name }) => ({ service: name, cost }))
      .sort((a, b) => (a.service < b.service ? -1 : 1))

  #collect(): readonly EndedTask[] {
    const ended: EndedTask[] = []
    for (const [id, { service, acceptedMs }] of this.#open) {
      const task = taskOf(this.ledger, id)
      if (task && !isEnded(task)) continue
      this.#open.delete(id)
      if (!task) continue
      for (const desk of this.desks) desk.forget(task)
      ended.push({ service, task, latencyMs: this.timeMs - acceptedMs })
    }
    return ended
  }

  /** The ledger has no transition for membership yet: it is put in by hand. */
  #admit(place: number): void {
    const operator = this.#absent.get(place + 1)
    if (operator) this.ledger = withOperator(this.ledger, operator)
    ;(this.desks[place] as Desk).isMember = operator !== undefined
  }

  #remove(place: number): void {
    const id = place + 1
    const operator = operatorOf(this.ledger, id)
    if (!operator) return
    this.#absent.set(id, operator)
    this.ledger = { ...this.ledger, operators: this.ledger.operators.delete(String(id)) }
    ;(this.desks[place] as Desk).isMember = false
  }
}

const isEnded = ({ status }: Task): boolean =>
  status === 'agreed' || status === 'settled' || status === 'expired'

/** The ledger's surroundings: the scenario's services, and signatures that cost nothing. */
const environmentOf = ({ services }: Scenario): Environment => ({
  services: new Map(services.map((one) => [one.name, virtualService(one)])),
  recoverAddress: idealCrypto.recoverAddress,
  verifyRandomness: idealCrypto.verifyRandomness,
})
