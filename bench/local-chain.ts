import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import {
  type Abi,
  createPublicClient,
  createWalletClient,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  http,
} from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import type { Hex } from '#primitives'
import { foundryBinary } from '../test/support/foundry.ts'

/** A chain of its own that mines each transaction at once, and one funded account on it. */
export type LocalChain = {
  readonly chainId: number
  readonly account: Hex
  /** Address that the account's next contract will have. */
  nextAddress(): Promise<Hex>
  deploy(contract: Deployable, args?: readonly unknown[]): Promise<Hex>
  /** Gas that a transaction used; throws when it reverted. */
  send(
    to: Hex,
    contract: WithAbi,
    name: string,
    args: readonly unknown[],
    valueWei?: bigint,
  ): Promise<number>
  read(to: Hex, contract: WithAbi, name: string, args: readonly unknown[]): Promise<unknown>
  stop(): Promise<void>
}

type WithAbi = { readonly abi: readonly unknown[] }

/** A contract as artifacts and the compiler describe it. */
export type Deployable = WithAbi & { readonly bytecode: Hex }

/** anvil's published test mnemonic. */
const mnemonic = 'test test test test test test test test test test test junk'

/**
 * Starts anvil (osaka) on a free port of 127.0.0.1.
 *
 * @param timestampS - time of its first block.
 */
export async function startLocalChain(timestampS: number): Promise<LocalChain> {
  const anvil = spawn(
    foundryBinary('anvil'),
    ['--port', '0', '--hardfork', 'osaka', '--timestamp', String(timestampS)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const kill = () => anvil.kill('SIGKILL')
  process.once('exit', kill)
  const transport = http(await listeningUrl(anvil))
  const account = mnemonicToAccount(mnemonic)
  const client = createPublicClient({ transport, pollingInterval: 20 })
  const wallet = createWalletClient({ transport, account })
  const chainId = await client.getChainId()
  const stop = async () => {
    const gone = new Promise((resolve) => anvil.once('exit', resolve))
    kill()
    await gone
    process.off('exit', kill)
  }
  const transact = async (to: Hex | null, data: Hex, valueWei = 0n) => {
    const hash = await wallet.sendTransaction({ to, data, value: valueWei, chain: null })
    const receipt = await client.waitForTransactionReceipt({ hash })
    if (receipt.status !== 'success') throw new Error(`transaction ${hash} reverted`)
    return receipt
  }
  return {
    chainId,
    account: account.address,
    nextAddress: async () => {
      const nonce = await client.getTransactionCount({ address: account.address })
      return getContractAddress({ from: account.address, nonce: BigInt(nonce) })
    },
    deploy: async ({ abi, bytecode }, args = []) => {
      const data = encodeDeployData({ abi: abi as Abi, bytecode, args })
      const { contractAddress } = await transact(null, data)
      if (!contractAddress) throw new Error('a deployment without an address')
      return contractAddress
    },
    send: async (to, { abi }, functionName, args, valueWei) => {
      const data = encodeFunctionData({ abi: abi as Abi, functionName, args })
      return Number((await transact(to, data, valueWei)).gasUsed)
    },
    read: (address, { abi }, functionName, args) =>
      client.readContract({ address, abi: abi as Abi, functionName, args }),
    stop,
  }
}

async function listeningUrl(anvil: ChildProcess): Promise<string> {
  if (!anvil.stdout) throw new Error('anvil without output')
  for await (const line of createInterface(anvil.stdout)) {
    const address = /Listening on (\S+)/.exec(line)?.[1]
    if (!address) continue
    anvil.stdout.resume()
    return `http://${address}`
  }
  throw new Error('anvil ended before it listened')
}
