// A network of ledgers without consensus: for tests of transitions, rules and duties. Keys and
// threshold shares are real; blocks are made by hand.
import { type Hex, keccak256, toHex, uint64Bytes, type Wei } from '#primitives'
import {
  beginBlock,
  type Environment,
  endBlock,
  genesisLedger,
  type Ledger,
  operatorOf,
  randomnessAlpha,
} from '#protocol'
import {
  type DecidedBlock,
  encodeTransaction,
  type Genesis,
  type OperatorId,
  type Report,
  reportDigest,
  type Statement,
  type TaskRequest,
  type Transaction,
  type TransactionResult,
  taskDigest,
} from '#records'
import { type KeyPackage, thresholdFor, trustedDealer } from '#threshold'
import { type LedgerCrypto, realCrypto } from './ledger-crypto.ts'
import { byteService, tallyService, testComputations, textService } from './test-services.ts'

/** Bytes that look random and are the same in every run. */
export const seededBytes = (seed: number) => {
  let counter = 0
  return (length: number): Uint8Array => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      const block = keccak256(uint64Bytes(seed), uint64Bytes(counter++))
      bytes.set(block.subarray(0, length - at), at)
    }
    return bytes
  }
}

export const genesisTimeMs = 1_800_000_000_000

type TestOperator = {
  readonly id: OperatorId
  readonly ledgerSecret: Uint8Array
  readonly vrfSecret: Uint8Array
  readonly consensusKey: Hex
  readonly key: KeyPackage
  readonly address: Hex
}

const dealt = new Map<number, readonly KeyPackage[]>()

/** Keys of n operators, dealt once for all networks of a test file. */
function keysFor(n: number): readonly KeyPackage[] {
  const keys = dealt.get(n) ?? trustedDealer(n, thresholdFor(n), seededBytes(n))
  dealt.set(n, keys)
  return keys
}

/** The ledger's environment with all test services. */
export const environmentWith = (crypto: LedgerCrypto): Environment => ({
  services: new Map(
    [byteService, textService, tallyService].map((service) => [service.spec.name, service]),
  ),
  ...crypto,
})

/** One ledger, the operators who speak to it, and a rich client. */
export class LedgerNetwork {
  readonly operators: readonly TestOperator[]
  readonly genesis: Genesis
  readonly environment: Environment
  readonly client: { readonly secret: Uint8Array; readonly address: Hex }
  /** Every block so far: what a replay needs. */
  readonly blocks: DecidedBlock[] = []
  ledger: Ledger
  timeMs = genesisTimeMs
  readonly #crypto: LedgerCrypto
  #sequence = 0
  #salt = 0

  constructor(n: number, overrides: Partial<Genesis> = {}, crypto: LedgerCrypto = realCrypto) {
    this.#crypto = crypto
    const rng = seededBytes(1_000 + n)
    this.operators = keysFor(n).map((key) => {
      const ledgerSecret = rng(32)
      const address = crypto.addressOf(ledgerSecret)
      const consensusKey = toHex(rng(32))
      return { id: key.operator, ledgerSecret, vrfSecret: rng(32), consensusKey, key, address }
    })
    const secret = rng(32)
    this.client = { secret, address: crypto.addressOf(secret) }
    this.genesis = { ...this.#genesis(n), ...overrides }
    this.environment = environmentWith(crypto)
    this.ledger = genesisLedger(this.genesis, this.environment)
  }

  #genesis(n: number): Genesis {
    return {
      name: 'test',
      timeMs: genesisTimeMs,
      l1ChainId: 31337,
      outbox: `0x${'aa'.repeat(20)}`,
      serviceManager: `0x${'bb'.repeat(20)}`,
      l1StartBlock: 1,
      groupKey: keysFor(n)[0]?.groupKey ?? '0x',
      threshold: thresholdFor(n),
      operators: this.operators.map(({ id, address, consensusKey, vrfSecret, key }) => ({
        id,
        name: `operator-${id}`,
        power: 1n,
        ledgerAddress: address,
        consensusKey,
        vrfKey: this.#crypto.vrfKeyOf(vrfSecret),
        l1Account: address,
        capabilities: [],
        verifyingShare: key.verifyingShare,
      })),
      services: [byteService, textService, tallyService].map(({ spec }) => ({
        spec,
        state: new Uint8Array(),
      })),
      accounts: [{ account: this.client.address, balance: 1_000_000n as Wei }],
      parameters: [],
    }
  }

  get height(): number {
    return this.blocks.length
  }

  /** Decides a block with fresh randomness and these transactions; gives their results. */
  block(transactions: readonly Transaction[] = [], stepMs = 200): readonly TransactionResult[] {
    const bytes = [this.randomness(), ...transactions].map(encodeTransaction)
    return this.rawBlock(bytes, stepMs).slice(1)
  }

  /** Decides a block of exactly these bytes. */
  rawBlock(transactions: readonly Uint8Array[], stepMs = 200): readonly TransactionResult[] {
    this.timeMs += stepMs
    const height = this.height + 1
    const block = {
      height,
      timeMs: this.timeMs,
      proposer: this.#proposer().consensusKey,
      transactions,
      misbehaviour: [],
      hash: toHex(keccak256(uint64Bytes(height))),
    }
    const { ledger, results } = execute(this.ledger, block, this.environment)
    this.blocks.push(block)
    this.ledger = ledger
    return results
  }

  /** The next proposer's proof for the next block. */
  randomness(): Transaction & { kind: 'randomness' } {
    const alpha = randomnessAlpha(this.ledger.constants.network, this.height + 1)
    const proof = this.#crypto.proveRandomness(this.#proposer().vrfSecret, alpha)
    return { kind: 'randomness', proof: toHex(proof) }
  }

  #proposer(): TestOperator {
    return this.operators[this.height % this.operators.length] as TestOperator
  }

  /** A signed report of these statements, by one operator's first instance. */
  report(
    id: OperatorId,
    statements: readonly Statement[],
    changes: Partial<Report> = {},
  ): Transaction & { kind: 'report' } {
    this.#sequence += 1
    const report: Report = {
      network: this.ledger.constants.network,
      operator: id,
      sequence: this.#sequence,
      instance: instanceOf(id),
      statements,
      ...changes,
    }
    const { ledgerSecret } = this.operators[id - 1] as TestOperator
    const signature = this.#crypto.signDigest(reportDigest(report), ledgerSecret)
    return { kind: 'report', report, signature }
  }

  /** A signed task: of the byte service, unless `changes` names another. */
  task(changes: Partial<TaskRequest> = {}): Transaction & { kind: 'task' } {
    this.#salt += 1
    const request: TaskRequest = {
      client: this.client.address,
      service: 'byte',
      payload: new Uint8Array([7]),
      maxFee: 1_001n as Wei,
      validUntilMs: this.timeMs + 60_000,
      salt: toHex(keccak256(uint64Bytes(this.#salt))),
      ...changes,
    }
    const digest = this.idOf({ request })
    return { kind: 'task', request, signature: this.#crypto.signDigest(digest, this.client.secret) }
  }

  /** The id of a task in this network. */
  idOf({ request }: { readonly request: TaskRequest }): Hex {
    return taskDigest(this.ledger.constants.network, request)
  }

  operator(id: OperatorId) {
    return operatorOf(this.ledger, id)
  }
}

/** The instance that a test operator's reports carry. */
export const instanceOf = (id: OperatorId): Hex => toHex(new Uint8Array(32).fill(id))

/** One decided block on a ledger, with its computations. */
export function execute(ledger: Ledger, block: DecidedBlock, environment: Environment) {
  const begun = beginBlock(ledger, block, environment)
  const outputs = begun.computations.map(({ service, input }) => testComputations[service]?.(input))
  const ended = endBlock(begun, outputs as Uint8Array[], environment)
  return { ...ended, l1Events: begun.l1Events }
}

/** Balances, reserved fees and the pool: what only deposits may change. */
export function totalWei({ accounts, tasks, chain }: Ledger): bigint {
  const balances = [...accounts.values()].reduce((sum, one) => sum + one, 0n)
  const reserved = [...tasks.values()].reduce((sum, { fee }) => sum + fee, 0n)
  return balances + reserved + chain.pool
}
