import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '#primitives'
import {
  appHash,
  duties,
  genesisLedger,
  type Ledger,
  nextDueMs,
  operatorsOf,
  randomnessAlpha,
  taskOf,
} from '#protocol'
import {
  type CheckpointRecord,
  checkpointMessage,
  encodeTransaction,
  type Statement,
} from '#records'
import { verifyGroupSignature } from '#threshold'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { LedgerDriver, type Step } from '../../test/support/ledger-driver.ts'
import { execute, LedgerNetwork, totalWei } from '../../test/support/ledger-network.ts'

/** What must hold after every block, and what has to be remembered to check it. */
class Auditor {
  readonly #driver: LedgerDriver
  readonly #checkpoints = new Map<number, CheckpointRecord>()
  readonly #sessionOfNonce = new Map<string, string>()
  readonly hashes: Hex[] = []
  #before: Ledger

  constructor(driver: LedgerDriver) {
    this.#driver = driver
    this.#before = driver.network.ledger
  }

  check(step: Step): void {
    const { ledger } = this.#driver.network
    assert.equal(totalWei(ledger), ledger.chain.supply, 'all wei are somewhere')
    this.#checkCheckpoints(ledger)
    this.#checkSessions(ledger)
    this.#checkAnswers(step)
    this.#checkDue(ledger)
    for (const { id, status } of operatorsOf(ledger))
      assert(status === 'active' || this.#driver.culprits.has(id), 'only who cheated is jailed')
    for (const id of this.#driver.accepted)
      assert(taskOf(ledger, id) || taskOf(this.#before, id) || this.#isForgotten(id))
    for (const { audit } of [...ledger.tasks.values(), ...ledger.endedTasks.values()])
      this.audits.add(audit)
    this.hashes.push(appHash(ledger))
    this.#before = ledger
  }

  /** A task may be unknown only after it had ended. */
  readonly #ended = new Set<Hex>()
  #isForgotten(id: Hex): boolean {
    return this.#ended.has(id)
  }

  /** How audits stood at any time. */
  readonly audits = new Set<string>()

  #checkCheckpoints({ checkpoints, chain, constants, endedTasks }: Ledger): void {
    for (const id of endedTasks.keys()) this.#ended.add(id as Hex)
    const { landed, cutIndex } = this.#before.chain
    assert(chain.landed.index >= landed.index && chain.cutIndex - cutIndex <= 1)
    for (const entry of checkpoints.values()) {
      const { index } = entry.checkpoint
      const known = this.#checkpoints.get(index)
      if (known) assert.deepEqual(entry.checkpoint, known.checkpoint, 'what was cut stays')
      if (entry.signature && !known?.signature) {
        const message = checkpointMessage(constants.domain, entry.checkpoint)
        assert(verifyGroupSignature(constants.groupKey, message, entry.signature))
      }
      const older = this.#checkpoints.get(index - 1)
      assert(!older || older.checkpoint.size <= entry.checkpoint.size)
      this.#checkpoints.set(index, entry)
    }
  }

  #checkSessions({ sessions }: Ledger): void {
    assert(sessions.size <= 1)
    for (const { checkpoint, attempt, signers } of sessions.values())
      for (const { operator, nonce } of signers) {
        const session = `${checkpoint}/${attempt}`
        const name = `${operator}/${nonce.hiding}`
        assert.equal(this.#sessionOfNonce.get(name) ?? session, session, 'a nonce signs once')
        this.#sessionOfNonce.set(name, session)
      }
  }

  /** What a report has said and the ledger has taken is not asked for again. */
  #checkAnswers({ transactions, results }: Step): void {
    const { ledger, timeMs } = this.#driver.network
    for (const [place, one] of transactions.entries()) {
      if (one.kind !== 'report' || !results[place]?.ok) continue
      const open = new Set(duties(ledger, one.report.operator, timeMs).map(answerOf))
      for (const statement of one.report.statements)
        assert(!open.has(nameOf(statement)), nameOf(statement))
    }
  }

  /** Before the due time nothing changes; from then on, a few blocks bring the ledger to rest. */
  #checkDue(ledger: Ledger): void {
    const { timeMs } = this.#driver.network
    const dueMs = nextDueMs(ledger)
    const quietMs = (dueMs ?? timeMs + 10 ** 9) - 1
    if (quietMs > timeMs) assert.equal(this.#blockOn(ledger, 1, quietMs, []), ledger)
    const atMs = Math.max(dueMs ?? timeMs, timeMs)
    const isDue = (one: Ledger) => (nextDueMs(one) ?? Infinity) <= atMs
    let resting = ledger
    for (let i = 1; i <= 8 && isDue(resting); i++)
      resting = this.#blockOn(resting, i, atMs, ['randomness'])
    assert(!isDue(resting), 'what is due for ever would make blocks for ever')
  }

  #blockOn(ledger: Ledger, ahead: number, timeMs: number, kinds: readonly string[]): Ledger {
    const { operators, environment, height: now } = this.#driver.network
    const height = now + ahead
    const proposer = operators[0] ?? assert.fail()
    const alpha = randomnessAlpha(ledger.constants.network, height)
    const proof = Buffer.from(idealCrypto.proveRandomness(proposer.vrfSecret, alpha)).toString(
      'hex',
    )
    const transactions = kinds.map(() =>
      encodeTransaction({ kind: 'randomness', proof: `0x${proof}` }),
    )
    const { consensusKey } = proposer
    const facts = { misbehaviour: [], hash: ledger.chain.mix, proposer: consensusKey }
    return execute(ledger, { height, timeMs, transactions, ...facts }, environment).ledger
  }
}

const answerOf = (duty: ReturnType<typeof duties>[number]): string => {
  switch (duty.kind) {
    case 'execute':
      return `commit ${duty.task.id} ${duty.task.attempt}`
    case 'sign':
      return `share ${duty.session.checkpoint} ${duty.session.attempt}`
    default:
      return ''
  }
}

function nameOf(statement: Statement): string {
  if (statement.kind === 'commit') return `commit ${statement.task} ${statement.attempt}`
  if (statement.kind === 'share') return `share ${statement.checkpoint} ${statement.attempt}`
  return statement.kind
}

/** A wild history, then calm until everything has ended. */
function live(seed: number, operators: number, blocks: number) {
  const parameters = [{ name: 'auditPpm', value: 500_000n }]
  const driver = new LedgerDriver(new LedgerNetwork(operators, { parameters }, idealCrypto), seed)
  const auditor = new Auditor(driver)
  for (let i = 0; i < blocks; i++) auditor.check(driver.step())
  const { network } = driver
  const isBusy = ({ tasks, audits }: Ledger) => tasks.size + audits.size > 0
  for (let i = 0; i < 80 && isBusy(network.ledger); i++) auditor.check(driver.calmStep())
  return { driver, auditor, network }
}

const plans = [
  { seed: 1, operators: 4, blocks: 90 },
  { seed: 2, operators: 4, blocks: 90 },
  { seed: 3, operators: 10, blocks: 60 },
]

for (const { seed, operators, blocks } of plans)
  test(`network: ${operators} operators of any conduct, seed ${seed}: all laws hold, all ends`, () => {
    const { driver, auditor, network } = live(seed, operators, blocks)
    const { ledger, genesis, environment } = network
    assert.equal(ledger.tasks.size, 0, 'every accepted task has ended')
    assert.equal(ledger.audits.size, 0, 'and every audit')
    // Four operators leave nobody to audit.
    assert.equal(auditor.audits.has('upheld'), operators > 4)
    assert(driver.accepted.size > 10 && ledger.chain.landed.index > 3, 'enough has happened')
    let replayed = genesisLedger(genesis, environment)
    for (const [place, block] of network.blocks.entries()) {
      replayed = execute(replayed, block, environment).ledger
      assert.equal(appHash(replayed), auditor.hashes[place], `height ${place + 1}`)
    }
  })
