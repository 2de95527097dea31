import { privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '#primitives'
import { lower } from './events.ts'
import { defaultFeePolicy } from './fees.ts'
import { place } from './sender.ts'
import { inLane, watch } from './tracker.ts'
import type {
  AccountState,
  L1AccountOptions,
  L1Call,
  L1Signer,
  SendOutcome,
} from './transaction.ts'

/** A signer that holds its key in memory. */
export const signerFromKey = (privateKey: Hex): L1Signer => privateKeyToAccount(privateKey)

/** One L1 account and its transactions in flight. Nobody else may use its key meanwhile. */
export type L1Account = {
  readonly address: Hex
  /**
   * Gets a call into a block: prices it, replaces it while it is stuck, waits for its receipt.
   * Nonces follow the order in which this is called.
   */
  send(call: L1Call): Promise<SendOutcome>
  /** Ends the polling; what is in flight ends with `AccountStopped`, and may still be mined. */
  stop(): void
}

/** An account whose state lives in memory: after a restart it begins at the node's latest nonce. */
export function createL1Account(options: L1AccountOptions): L1Account {
  const state: AccountState = {
    options,
    address: lower(options.signer.address),
    fees: options.fees ?? defaultFeePolicy,
    pollMs: options.pollMs ?? 250,
    replaceAfterBlocks: options.replaceAfterBlocks ?? 3,
    giveUpAfterBlocks: options.giveUpAfterBlocks ?? 64,
    pending: new Map(),
    waiting: 0,
    lane: Promise.resolve(),
    head: 0,
    failures: 0,
    stopped: false,
    watching: false,
    cancel: () => {},
  }
  return {
    address: state.address,
    send: (call) => send(state, call),
    stop: () => {
      state.stopped = true
      state.cancel()
      for (const one of state.pending.values()) one.resolve({ ok: false, reason: 'AccountStopped' })
    },
  }
}

async function send(state: AccountState, call: L1Call): Promise<SendOutcome> {
  if (state.stopped) return { ok: false, reason: 'AccountStopped' }
  if (state.pending.size + state.waiting >= maxInFlight) return { ok: false, reason: 'AccountBusy' }
  state.waiting++
  return new Promise<SendOutcome>((resolve, reject) => {
    inLane(state, async () => {
      state.waiting--
      await place(state, call, resolve)
    }).then(() => watch(state), reject)
  })
}

/** Nodes keep at most 16 transactions of one account in their pools' executable part for sure. */
const maxInFlight = 16
