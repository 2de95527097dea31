import { type Hex, sha256Hex, utf8 } from '#primitives'
import { type Duty, duties, type Ledger, operatorOf } from '#protocol'
import {
  chainL1Digest,
  emptyL1Digest,
  maxL1Events,
  type OperatorId,
  type Session,
  type Statement,
  type Transaction,
} from '#records'
import { sessionDigest } from '#threshold'
import type { L1Model } from '../support/l1-model.ts'
import { genesisTimeMs, type LedgerNetwork } from '../support/ledger-network.ts'
import { nonceOf, shareOf, taskStatement, testSalt } from '../support/ledger-script.ts'
import type { Block } from './block.ts'
import { broadcast, halfOf, send } from './network.ts'
import { isHealed, type Message, type Peer, type World } from './world.ts'

/** What operators have at hand when they speak to the ledger. */
export type Voices = {
  readonly network: LedgerNetwork
  readonly l1: L1Model
  /** Told of every share that a correct operator makes. */
  readonly onShare: (operator: OperatorId, session: Session) => void
  /** Shares by operator, instance and session: the same for ever, and dear to make. */
  readonly shares: Map<string, Statement>
}

/**
 * An operator reports all that its committed ledger asks of it, correct or as suits it; each life
 * is an instance.
 *
 * @returns its own report, for its own pool.
 */
export function speak(
  voices: Voices,
  world: World,
  peer: Peer,
  block: Block,
  ledger: Ledger,
): Transaction | undefined {
  const { network } = voices
  if (peer.fault === 'silent' || !network.operators[peer.id]) return undefined
  const id = peer.id + 1
  const instance = sha256Hex(utf8(`instance ${id} ${peer.life}`))
  const speaker: Speaker = { voices, world, peer, id, instance }
  const timeMs = genesisTimeMs + block.timeMs
  const said = duties(ledger, id, timeMs).flatMap((duty) => answer(speaker, duty))
  if (said.length === 0 && operatorOf(ledger, id)?.instance === instance) return undefined
  const report = network.report(id, said, { instance })
  tell(speaker, report)
  return report
}

/** Who speaks. */
type Speaker = {
  readonly voices: Voices
  readonly world: World
  readonly peer: Peer
  readonly id: OperatorId
  readonly instance: Hex
}

type Report = Transaction & { readonly kind: 'report' }

/** Share of peers, in thousandths, whom a withholder shows its report. */
const shownPermille = 300

/** How often, in thousandths, a malformed report goes with the bad shares. */
const malformedPermille = 300

function tell(speaker: Speaker, report: Report): void {
  const { world, peer } = speaker
  const message: Message = { kind: 'transaction', transaction: report }
  const others = world.peers.filter((to) => to !== peer)
  switch (peer.fault) {
    case 'equivocator': {
      const twin: Message = { kind: 'transaction', transaction: contradict(speaker, report) }
      for (const to of others) send(world, peer, to, halfOf(world, to) === 1 ? message : twin)
      return
    }
    case 'withholder':
      for (const to of others) if (world.chance.hits(shownPermille)) send(world, peer, to, message)
      return
    case 'invalid': {
      broadcast(world, peer, message)
      const bad: Message = { kind: 'transaction', transaction: malformed(speaker, report) }
      if (world.chance.hits(malformedPermille)) broadcast(world, peer, bad)
      return
    }
    default:
      broadcast(world, peer, message)
  }
}

/** Another report of the same sequence: other results, other views, other shares. */
function contradict({ voices, id, instance }: Speaker, { report }: Report): Report {
  const { sequence } = report
  const statements = report.statements.flatMap((said): Statement[] => {
    switch (said.kind) {
      case 'commit':
        return [{ ...said, digest: testSalt }]
      case 'share':
        return [{ ...said, share: testSalt }]
      case 'view':
        return [{ ...said, view: { ...said.view, digest: testSalt } }]
      default:
        return []
    }
  })
  return voices.network.report(id, statements, { instance, sequence })
}

/** A report that no ledger takes: of somebody else, for elsewhere, or of what nobody asked for. */
function malformed({ voices, world, peer, id, instance }: Speaker, own: Report): Report {
  const { network } = voices
  const { chance } = world
  const other = ((peer.id + 1) % network.operators.length) + 1
  const nobodyAsked: readonly Statement[] = [
    { kind: 'commit', task: testSalt, attempt: 1, digest: testSalt },
    { kind: 'share', checkpoint: 9_999, attempt: 1, share: testSalt },
    { kind: 'nonces', commitments: [nonceOf(network, id, 7_777, instance)] },
    { kind: 'vote', parameter: 'nothing', value: 1n },
  ]
  return chance.of([
    { ...own, report: { ...own.report, operator: other } },
    { ...own, report: { ...own.report, sequence: own.report.sequence + 1_000_000 } },
    network.report(id, own.report.statements, { instance, network: testSalt }),
    network.report(id, nobodyAsked, { instance }),
  ])
}

function answer({ voices, world, peer, id, instance }: Speaker, duty: Duty): readonly Statement[] {
  const { network } = voices
  const nonce = (index: number) => nonceOf(network, id, index, instance)
  switch (duty.kind) {
    case 'publish-nonces': {
      const indices = Array.from({ length: duty.count }, (_, i) => duty.fromIndex + i)
      return [{ kind: 'nonces', commitments: indices.map(nonce) }]
    }
    case 'sign': {
      const own = duty.session.signers.find(({ operator }) => operator === id)
      const { hiding } = nonce(own?.nonce.index ?? 0)
      if (own?.nonce.hiding !== hiding) return []
      const { checkpoint, attempt } = duty.session
      if (peer.fault === 'invalid') return [{ kind: 'share', checkpoint, attempt, share: testSalt }]
      if (peer.isHonest) voices.onShare(id, duty.session)
      const name = `${id} ${instance} ${sessionDigest(duty.session)}`
      const share = voices.shares.get(name) ?? shareOf(network, id, duty, instance)
      voices.shares.set(name, share)
      return [share]
    }
    case 'execute':
    case 'reveal': {
      // A result depends on the task alone, so that who lies opens what it committed.
      const truth = 100 + (Number.parseInt(duty.task.id.slice(-2), 16) % 50)
      return [taskStatement(id, duty, peer.fault === 'liar' ? 250 : truth)]
    }
    case 'vouch':
      return [view(voices, world, peer.fault, duty.events)]
    default:
      return []
  }
}

function view({ l1 }: Voices, world: World, fault: Peer['fault'], agreed: number): Statement {
  const most = Math.min(l1.events.length, agreed + maxL1Events)
  const events = isHealed(world) ? most : agreed + world.chance.below(most - agreed + 1)
  const digest = l1.events.slice(0, events).reduce(chainL1Digest, emptyL1Digest)
  return { kind: 'view', view: { block: events + 1, events, digest, fork: fault === 'forger' } }
}
