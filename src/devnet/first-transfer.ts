import { setTimeout as pass } from 'node:timers/promises'
import { createPublicClient, createWalletClient, defineChain, http, parseEther } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '#primitives'
import { systemClock } from './clock.ts'
import { devnetAccount } from './l1.ts'
import { l2ChainId } from './network.ts'

/** The L2 as viem and wallets know a chain. */
export const l2Chain = (gateway: string) =>
  defineChain({
    id: l2ChainId,
    name: 'NodeOP devnet',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [gateway] } },
  })

/**
 * Sends one transfer as any wallet would, so that a new network has something to certify.
 *
 * @returns its hash, once it is confirmed.
 */
export async function sendFirstTransfer(gateway: string): Promise<Hex> {
  const [from, to] = [devnetAccount(0), devnetAccount(1)]
  const chain = l2Chain(gateway)
  const transport = http(gateway)
  const wallet = createWalletClient({
    account: privateKeyToAccount(from.privateKey),
    chain,
    transport,
  })
  await serving(gateway)
  const hash = await wallet.sendTransaction({ to: to.address, value: parseEther('0.01') })
  const client = createPublicClient({ chain, transport, pollingInterval: 100 })
  await client.waitForTransactionReceipt({ hash })
  return hash
}

/** A busy machine takes a while to its first block; after that the gateway says why it refuses. */
async function serving(gateway: string): Promise<void> {
  const deadlineMs = systemClock.nowMs() + firstBlockLimitMs
  while (systemClock.nowMs() < deadlineMs) {
    if ((await fetch(`${gateway}/readyz`)).ok) return
    await pass(readyPauseMs)
  }
}

const firstBlockLimitMs = 60_000
const readyPauseMs = 100
