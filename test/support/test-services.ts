// Small services, one of each kind, for tests of the ledger.
import { bigintToBytes, bytesToBigint, sha256Hex, type Wei } from '#primitives'
import type { AssignedService, ReplicatedService, ServiceState } from '#protocol'
import type { ServiceSpec } from '#records'

const terms = {
  committee: 4,
  fee: 1_000n as Wei,
  commitMs: 3_000,
  revealMs: 3_000,
  toleranceBps: 1_000,
  auditToleranceBps: 2_000,
  requires: [],
} as const

const oneByte = (payload: Uint8Array) =>
  payload.length === 1 ? ({ ok: true } as const) : ({ ok: false, reason: 'BadPayload' } as const)

/** Results of one byte, agreed on by their weighted median, delivered to a consumer on L1. */
export const byteService: AssignedService = {
  spec: {
    ...terms,
    name: 'byte',
    mode: 'assigned',
    rule: 'median',
    consumer: `0x${'c0'.repeat(20)}`,
  },
  check: oneByte,
  checkResult: (_, result) => oneByte(result),
  toNumber: (result) => BigInt(result[0] ?? 0),
  fromNumber: (value) => new Uint8Array([Number(value)]),
  leafBody: (_, result) => result,
}

/**
 * Results of any bytes that must be the same, for nobody on L1. Its leaf repeats the payload as
 * often as the result's first byte says.
 */
export const textService: AssignedService = {
  ...byteService,
  spec: {
    ...terms,
    name: 'text',
    mode: 'assigned',
    rule: 'exact',
    fee: 1_001n as Wei,
    consumer: `0x${'00'.repeat(20)}`,
  },
  check: () => ({ ok: true }),
  checkResult: () => ({ ok: true }),
  leafBody: (payload, [times = 0]) => new Uint8Array(payload.length * times),
}

const tallySpec: ServiceSpec & { readonly mode: 'replicated' } = {
  name: 'tally',
  mode: 'replicated',
  rule: 'replicated',
  committee: 0,
  fee: 0n as Wei,
  commitMs: 0,
  revealMs: 0,
  toleranceBps: 0,
  auditToleranceBps: undefined,
  requires: [],
  consumer: `0x${'00'.repeat(20)}`,
}

const tallyOf = (state: ServiceState): bigint => bytesToBigint(state.get('sum') ?? new Uint8Array())

/** Adds up the bytes it is called with; a call with zero is refused when it is executed. */
export const tallyService: ReplicatedService = {
  spec: tallySpec,
  initial: (empty, genesis) => empty.set('sum', genesis),
  check: oneByte,
  begin: (_, __, calls) => new Uint8Array(calls.flatMap((call) => [...call])),
  end: (state, output) => {
    const added = output.reduce((sum, byte) => sum + byte, 0)
    const sum = bigintToBytes(tallyOf(state) + BigInt(added), 32)
    return {
      state: added > 0 ? state.set('sum', sum) : state,
      leaves: added > 0 ? [{ kind: 'block', subject: sha256Hex(sum), body: sum }] : [],
      results: [...output].map((byte) =>
        byte > 0 ? { ok: true } : { ok: false, reason: 'NothingToAdd' },
      ),
    }
  },
}

/** Their computations, by name: what a block needs between its halves. */
export const testComputations: Readonly<Record<string, (input: Uint8Array) => Uint8Array>> = {
  tally: (input) => input,
}
