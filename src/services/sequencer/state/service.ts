import { assert, bigintToBytes, toHex, wei } from '#primitives'
import type { ReplicatedService, ServiceBlock, ServiceState } from '#protocol'
import type { ServiceSpec, TransactionResult } from '#records'
import { checkCall, checkRules } from './check.ts'
import {
  type BlockContext,
  blockLeafBody,
  decodeHead,
  decodeOutput,
  encodeHead,
  encodeInput,
  type L2Head,
} from './computation.ts'
import type { L2Genesis } from './genesis.ts'

/** Its entry in a genesis: it has no committee, and its fees are the L2's own. */
export const sequencerSpec: ServiceSpec & { readonly mode: 'replicated' } = {
  name: 'sequencer',
  mode: 'replicated',
  rule: 'replicated',
  committee: 0,
  fee: wei(0n),
  commitMs: 0,
  revealMs: 0,
  toleranceBps: 0,
  auditToleranceBps: undefined,
  requires: [],
  consumer: `0x${'00'.repeat(20)}`,
}

/** Key of the latest L2 block in the service's state; the chain before it hangs on its hash. */
const headKey = 'head'

/**
 * The L2 sequencer as a replicated service: each consensus block with at least one transaction that
 * executes makes one Ethereum block, which the computation builds and the outbox records as a leaf.
 *
 * @param chain - read from the bytes that the network's genesis gives this service.
 */
export function sequencerService(
  spec: ReplicatedService['spec'],
  chain: L2Genesis,
): ReplicatedService {
  const rules = checkRules(chain)
  return {
    spec,
    initial: (empty) => empty.set(headKey, encodeHead(genesisHead(chain))),
    check: (payload) => checkCall(payload, rules),
    begin: (state, block, calls) =>
      encodeInput({
        height: block.height,
        context: contextOf(chain, l2Head(state), block),
        transactions: calls,
      }),
    end,
  }
}

/** The latest L2 block that the ledger knows. */
export function l2Head(state: ServiceState): L2Head {
  const bytes = state.get(headKey)
  assert(bytes, 'the sequencer has a head since genesis')
  return decodeHead(bytes)
}

const genesisHead = ({ header, hash }: L2Genesis): L2Head => ({
  number: header.number,
  hash,
  stateRoot: header.stateRoot,
  timestamp: header.timestamp,
  baseFeePerGas: header.baseFeePerGas,
  gasUsed: header.gasUsed,
  gasLimit: header.gasLimit,
})

function contextOf({ parameters }: L2Genesis, head: L2Head, block: ServiceBlock): BlockContext {
  const nowS = (block.timeMs - (block.timeMs % 1000)) / 1000
  return {
    parentHash: head.hash,
    timestamp: Math.max(nowS, head.timestamp + (parameters.risingTimestamps ? 1 : 0)),
    prevRandao: block.randomness,
    feeRecipient: parameters.feeRecipient,
    parentBeaconBlockRoot: toHex(bigintToBytes(BigInt(block.height), 32)),
  }
}

function end(state: ServiceState, output: Uint8Array): ReturnType<ReplicatedService['end']> {
  const { offered, block, dropped } = decodeOutput(output)
  const results: TransactionResult[] = Array.from({ length: offered }, () => ({ ok: true }))
  for (const { index, reason, detail } of dropped) {
    assert(index < offered, 'a dropped transaction was offered')
    results[index] = { ok: false, reason, detail }
  }
  if (!block) return { state, leaves: [], results }
  assert(block.parentHash === l2Head(state).hash, 'an L2 block extends the head')
  return {
    state: state.set(headKey, encodeHead(block)),
    leaves: [{ kind: 'block', subject: block.hash, body: blockLeafBody(block) }],
    results,
  }
}
