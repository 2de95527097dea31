import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { secp256k1_FROST as frost, secp256k1 } from '@noble/curves/secp256k1.js'
import { createWalletClient, http } from 'viem'
import { mnemonicToAccount, privateKeyToAccount } from 'viem/accounts'
import { fromHex, type Hex, keccak256, toHex, utf8 } from '#primitives'
import { possessionMessage, serviceBytes32 } from '#records'
import { foundryBinary } from '../../../test/support/foundry.ts'
import {
  createL1Account,
  createL1Client,
  type L1AccountOptions,
  type L1Signature,
  outboxArtifact,
  priceConsumerArtifact,
  serviceManagerArtifact,
  signerFromKey,
} from '../index.ts'
import { hastyClock, keepingLogger } from './clock.ts'

/** A group of three of which two sign, all in this process. */
const group = frost.trustedDealer({ min: 2, max: 3 })
const [groupKey] = group.public.commitments
if (!groupKey) throw new Error('a dealt group has a key')

/** The group key as the Outbox takes it. */
const testGroupKey = {
  px: secp256k1.Point.fromBytes(groupKey).x,
  parity: Number(secp256k1.Point.fromBytes(groupKey).y % 2n),
}

/** The group's signature over 32 bytes. */
export function signAsGroup(message: Hex): L1Signature {
  const signers = Object.values(group.secretShares).slice(0, 2)
  const nonces = signers.map((signer) => frost.commit(signer))
  const commitments = nonces.map((one) => one.commitments)
  const shares = signers.map((signer, i) => {
    const nonce = nonces[i]
    if (!nonce) throw new Error('a nonce per signer')
    const { identifier } = signer
    const bytes = fromHex(message, 32)
    return [
      identifier,
      frost.signShare(signer, group.public, nonce.nonces, commitments, bytes),
    ] as const
  })
  const signature = frost.aggregate(
    group.public,
    commitments,
    fromHex(message, 32),
    Object.fromEntries(shares),
  )
  const { x: rx, y: ry } = secp256k1.Point.fromBytes(signature.slice(0, 33))
  return { rx, ry, z: BigInt(toHex(signature.slice(33))) }
}

/** Key of an operator's L1 account; operators are 1, 2, 3, … */
export const submitterKey = (operator: number): Hex =>
  toHex(keccak256(utf8(`submitter of operator ${operator}`)))

/** Key of an account that holds 10,000 ether; the first deploys. */
export function fundedKey(index: number): Hex {
  const phrase = 'test test test test test test test test test test test junk'
  const { privateKey } = mnemonicToAccount(phrase, { addressIndex: index }).getHdKey()
  if (!privateKey) throw new Error('a derived account has a key')
  return toHex(privateKey)
}

/** An account on the test's L1, with what it logged. */
export type TestAccount = ReturnType<typeof createL1Account> & { readonly lines: readonly string[] }

/** An L1 with the contracts on it, on which blocks are mined only when a test says so. */
export type TestL1 = Contracts & {
  readonly url: string
  readonly client: ReturnType<typeof createL1Client>
  request(method: string, ...params: unknown[]): Promise<unknown>
  mine(blocks?: number): Promise<void>
  /** An account of this L1; by default it waits 1 ms between checks. */
  account(key: Hex, more?: Partial<L1AccountOptions>): TestAccount
  stop(): Promise<void>
}

/** Starts anvil on a free port and deploys for three operators. */
export async function startTestL1(): Promise<TestL1> {
  const anvil = await startAnvil()
  const client = createL1Client(anvil.url)
  const accounts: { stop(): void }[] = []
  const request = (method: string, ...params: unknown[]): Promise<unknown> =>
    client.request({ method, params } as never)
  const contracts = await deploy(anvil.url).catch(async (error) => {
    await anvil.stop()
    throw error
  })
  await request('evm_setAutomine', false)
  return {
    ...contracts,
    url: anvil.url,
    client,
    request,
    mine: async (blocks = 1) => {
      await request('anvil_mine', `0x${blocks.toString(16)}`, '0x1')
    },
    account: (key, more = {}) => {
      const logger = keepingLogger()
      const base = { client, signer: signerFromKey(key), chainId: 31_337, clock: hastyClock }
      const account = createL1Account({ ...base, logger, pollMs: 100, ...more })
      accounts.push(account)
      return { ...account, lines: logger.lines }
    },
    stop: async () => {
      for (const account of accounts) account.stop()
      await anvil.stop()
    },
  }
}

async function startAnvil() {
  const args = ['--port', '0', '--accounts', '30', '--slots-in-an-epoch', '1']
  const child = spawn(foundryBinary('anvil'), args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  let url = ''
  for await (const line of createInterface(child.stdout)) {
    url = /Listening on (\S+)/.exec(line)?.[1] ?? ''
    if (url) break
  }
  child.stdout.resume()
  return {
    url: `http://${url}`,
    stop: async () => {
      child.kill()
      await exited
    },
  }
}

type Contracts = {
  readonly outbox: Hex
  readonly serviceManager: Hex
  readonly priceConsumer: Hex
  readonly startBlock: number
}

/** The contracts for operators 1, 2 and 3, whose submitters own 10 ether each. */
async function deploy(url: string): Promise<Contracts> {
  const client = createL1Client(url)
  const account = privateKeyToAccount(fundedKey(0))
  const wallet = createWalletClient({ account, transport: http(url) })
  const mined = async (hash: Promise<Hex>) =>
    client.waitForTransactionReceipt({ hash: await hash, pollingInterval: 10 })
  const chain = null
  const contract = async (hash: Promise<Hex>) => {
    const { contractAddress, blockNumber } = await mined(hash)
    if (!contractAddress) throw new Error('not deployed')
    return { address: contractAddress.toLowerCase() as Hex, block: Number(blockNumber) }
  }
  const outboxArguments = outboxTerms(`0x5fbdb2315678afecb367f032d93f642f64180aa3`)
  const outbox = await contract(
    wallet.deployContract({ ...outboxArtifact, args: outboxArguments, chain }),
  )
  const { address } = outbox
  const manager = await contract(
    wallet.deployContract({ ...serviceManagerArtifact, args: [address], chain }),
  )
  const consumer = await contract(
    wallet.deployContract({ ...priceConsumerArtifact, args: [manager.address], chain }),
  )
  const price = serviceBytes32('price')
  await mined(
    wallet.writeContract({
      ...{ address, abi: outboxArtifact.abi, chain },
      ...{ functionName: 'setServiceManager', args: [manager.address] },
    }),
  )
  await mined(
    wallet.writeContract({
      ...{ address: manager.address, abi: serviceManagerArtifact.abi, chain },
      ...{ functionName: 'registerService', args: [price, consumer.address, 150_000] },
    }),
  )
  for (const { submitter: to } of operators)
    await mined(wallet.sendTransaction({ to, value: 10n ** 19n, chain }))
  const startBlock = outbox.block
  const [serviceManager, priceConsumer] = [manager.address, consumer.address]
  return { outbox: address, serviceManager, priceConsumer, startBlock }
}

const operators = [1, 2, 3].map((operator) => ({
  operator,
  ledger: signerFromKey(fundedKey(operator)).address,
  submitter: signerFromKey(submitterKey(operator)).address,
}))

/** @param outbox - the first contract of anvil's first account is always here. */
function outboxTerms(outbox: Hex) {
  const { rx, ry, z } = signAsGroup(possessionMessage({ l1ChainId: 31_337, outbox }))
  return [testGroupKey.px, testGroupKey.parity, rx, ry, z, operators, 10n ** 12n] as const
}

/** Something between a client and its L1 that can be cut off. */
export async function startProxy(target: string) {
  let isCut = false
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const headers = { 'content-type': 'application/json' }
    const text = await fetch(target, { method: 'POST', headers, body }).then((one) => one.text())
    if (isCut) request.socket.destroy()
    else response.writeHead(200, headers).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Cut: requests still arrive, answers never do. */
    cut: (value: boolean) => {
      isCut = value
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
