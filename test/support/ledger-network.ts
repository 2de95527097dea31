// A network of ledgers without consensus: for tests of transitions, rules and duties. Keys,
// signatures and threshold shares are real; blocks are made by hand.
import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  fromHex,
  type Hex,
  keccak256,
  toHex,
  vrfProve,
  vrfPublicKey,
  vrfVerify,
  type Wei,
} from '#primitives'
import {
  type AssignedService,
  beginBlock,
  type Environment,
  endBlock,
  genesisLedger,
  type Ledger,
  operatorOf,
  randomnessAlpha,
} from '#protocol'
import {
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

/** Bytes that look random and are the same in every run. */
export const seededBytes = (seed: number) => {
  let counter = 0
  return (length: number): Uint8Array => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      counter += 1
      bytes.set(
        keccak256(new Uint8Array([seed, counter & 255, counter >> 8])).subarray(0, length - at),
        at,
      )
    }
    return bytes
  }
}

export const genesisTimeMs = 1_800_000_000_000
const zeroAddress: Hex = `0x${'00'.repeat(20)}`

const addressOf = (secret: Uint8Array): Hex =>
  toHex(keccak256(secp256k1.getPublicKey(secret, false).subarray(1)).subarray(12))

export function signDigest(digest: Hex, secret: Uint8Array): Hex {
  const signature = secp256k1.sign(fromHex(digest), secret, { prehash: false, format: 'recovered' })
  const [recovery = 0] = signature
  return toHex(new Uint8Array([...signature.subarray(1), 27 + recovery]))
}

function recoverAddress(digest: Hex, signature: Hex): Hex | undefined {
  try {
    const bytes = fromHex(signature, 65)
    const recovered = new Uint8Array([(bytes[64] ?? 0) - 27, ...bytes.subarray(0, 64)])
    const key = secp256k1.recoverPublicKey(recovered, fromHex(digest), { prehash: false })
    return toHex(keccak256(secp256k1.Point.fromBytes(key).toBytes(false).subarray(1)).subarray(12))
  } catch {
    return undefined
  }
}

/** A service whose result is one byte; `median` over its value. */
export const byteService: AssignedService = {
  spec: {
    name: 'byte',
    mode: 'assigned',
    rule: 'median',
    committee: 4,
    fee: 1_000n as Wei,
    commitMs: 3_000,
    revealMs: 3_000,
    toleranceBps: 1_000,
    consumer: zeroAddress,
  },
  check: (payload) => (payload.length === 1 ? { ok: true } : { ok: false, reason: 'BadPayload' }),
  checkResult: (_, result) =>
    result.length === 1 ? { ok: true } : { ok: false, reason: 'BadResult' },
  toNumber: (result) => BigInt(result[0] ?? 0),
  fromNumber: (value) => new Uint8Array([Number(value)]),
  leafBody: (_, result) => result,
}

export const environment: Environment = {
  services: new Map([['byte', byteService]]),
  recoverAddress,
  verifyRandomness: (key, alpha, proof) => vrfVerify(fromHex(key), alpha, proof),
}

type TestOperator = {
  readonly id: OperatorId
  readonly ledgerSecret: Uint8Array
  readonly vrfSecret: Uint8Array
  readonly consensusKey: Hex
  readonly key: KeyPackage
  readonly address: Hex
}

/** One ledger, the operators who speak to it, and a rich client. */
export class LedgerNetwork {
  readonly operators: readonly TestOperator[]
  readonly genesis: Genesis
  readonly client: { readonly secret: Uint8Array; readonly address: Hex }
  ledger: Ledger
  height = 0
  timeMs = genesisTimeMs
  #sequence = 0
  #salt = 0

  constructor(n: number, overrides: Partial<Genesis> = {}) {
    const rng = seededBytes(n)
    const keys = trustedDealer(n, thresholdFor(n), rng)
    this.operators = keys.map((key) => {
      const ledgerSecret = rng(32)
      const vrfSecret = rng(32)
      const address = addressOf(ledgerSecret)
      const consensusKey = toHex(rng(32))
      return { id: key.operator, ledgerSecret, vrfSecret, consensusKey, key, address }
    })
    const secret = rng(32)
    this.client = { secret, address: addressOf(secret) }
    this.genesis = {
      name: 'test',
      timeMs: genesisTimeMs,
      l1ChainId: 31337,
      outbox: `0x${'aa'.repeat(20)}`,
      serviceManager: `0x${'bb'.repeat(20)}`,
      l1StartBlock: 1,
      groupKey: keys[0]?.groupKey ?? '0x',
      threshold: thresholdFor(n),
      operators: this.operators.map(({ id, address, consensusKey, vrfSecret, key }) => ({
        id,
        name: `operator-${id}`,
        power: 1n,
        ledgerAddress: address,
        consensusKey,
        vrfKey: toHex(vrfPublicKey(vrfSecret)),
        l1Account: address,
        verifyingShare: key.verifyingShare,
      })),
      services: [{ spec: byteService.spec, state: new Uint8Array() }],
      accounts: [{ account: this.client.address, balance: 1_000_000n as Wei }],
      parameters: [],
      ...overrides,
    }
    this.ledger = genesisLedger(this.genesis, environment)
  }

  /** Decides a block with fresh randomness and these transactions; gives their results. */
  block(transactions: readonly Transaction[] = [], stepMs = 200): readonly TransactionResult[] {
    const proposer = this.operators[this.height % this.operators.length] as TestOperator
    const alpha = randomnessAlpha(this.ledger.constants.network, this.height + 1)
    const proof = toHex(vrfProve(proposer.vrfSecret, alpha))
    return this.rawBlock(
      [encodeTransaction({ kind: 'randomness', proof }), ...transactions.map(encodeTransaction)],
      stepMs,
    ).slice(1)
  }

  /** Decides a block of exactly these bytes. */
  rawBlock(transactions: readonly Uint8Array[], stepMs = 200): readonly TransactionResult[] {
    const proposer = this.operators[this.height % this.operators.length] as TestOperator
    this.height += 1
    this.timeMs += stepMs
    const block = {
      height: this.height,
      timeMs: this.timeMs,
      proposer: proposer.consensusKey,
      transactions,
      misbehaviour: [],
      hash: toHex(keccak256(new Uint8Array([this.height & 255]))),
    }
    const begun = beginBlock(this.ledger, block, environment)
    const { ledger, results } = endBlock(begun, [], environment)
    this.ledger = ledger
    return results
  }

  /** A signed report of these statements, by one operator's first instance. */
  report(
    id: OperatorId,
    statements: readonly Statement[],
    changes: Partial<Report> = {},
  ): Transaction & { kind: 'report' } {
    this.#sequence += 1
    const operator = this.operators[id - 1] as TestOperator
    const report: Report = {
      network: this.ledger.constants.network,
      operator: id,
      sequence: this.#sequence,
      instance: instanceOf(id),
      statements,
      ...changes,
    }
    return {
      kind: 'report',
      report,
      signature: signDigest(reportDigest(report), operator.ledgerSecret),
    }
  }

  /** A signed task of the byte service. */
  task(changes: Partial<TaskRequest> = {}): Transaction & { kind: 'task' } {
    this.#salt += 1
    const request: TaskRequest = {
      client: this.client.address,
      service: 'byte',
      payload: new Uint8Array([7]),
      maxFee: 1_000n as Wei,
      validUntilMs: this.timeMs + 60_000,
      salt: toHex(keccak256(new Uint8Array([this.#salt]))),
      ...changes,
    }
    const digest = taskDigest(this.ledger.constants.network, request)
    return { kind: 'task', request, signature: signDigest(digest, this.client.secret) }
  }

  /** Balances, reserved fees and the pool: what must never change but by deposits. */
  totalWei(): bigint {
    const accounts = [...this.ledger.accounts.values()].reduce((sum, one) => sum + one, 0n)
    const reserved = [...this.ledger.tasks.values()].reduce((sum, { fee }) => sum + fee, 0n)
    return accounts + reserved + this.ledger.chain.pool
  }

  operator(id: OperatorId) {
    return operatorOf(this.ledger, id)
  }
}

/** The instance that a test operator's reports carry. */
export const instanceOf = (id: OperatorId): Hex => toHex(new Uint8Array(32).fill(id))
