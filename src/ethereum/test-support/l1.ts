import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { secp256k1_FROST as frost, secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex, type Hex, keccak256, toHex, utf8 } from '#primitives'
import { possessionMessage } from '#records'
import { type Deployment, deployContracts } from '../../devnet/deploy.ts'
import { devnetAccount, startL1 } from '../../devnet/l1.ts'
import {
  createL1Account,
  createL1Client,
  type L1AccountOptions,
  type L1Signature,
  signerFromKey,
} from '../index.ts'
import { hastyClock, keepingLogger } from './clock.ts'

/** A group of three of which two sign, all in this process. */
const group = frost.trustedDealer({ min: 2, max: 3 })
const [groupKey] = group.public.commitments
if (!groupKey) throw new Error('a dealt group has a key')

/** The group key as the Outbox takes it. */
export const testGroupKey = {
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

/** An L1 with the contracts on it, on which blocks are mined only when a test says so. */
export type TestL1 = Deployment & {
  readonly url: string
  readonly client: ReturnType<typeof createL1Client>
  request(method: string, ...params: unknown[]): Promise<unknown>
  mine(blocks?: number): Promise<void>
  /** An account of this L1; by default it waits 1 ms between checks. */
  account(
    key: Hex,
    more?: Partial<L1AccountOptions>,
  ): ReturnType<typeof createL1Account> & { readonly lines: readonly string[] }
  stop(): Promise<void>
}

/** Starts anvil on a free port and deploys for three operators. */
export async function startTestL1(): Promise<TestL1> {
  const logger = keepingLogger()
  const l1 = await startL1({ logger, accounts: 30 })
  const client = createL1Client(l1.url)
  const accounts: { stop(): void }[] = []
  const request = (method: string, ...params: unknown[]): Promise<unknown> =>
    client.request({ method, params } as never)
  const deployment = await deployTestContracts(l1.url)
  await request('evm_setIntervalMining', 0)
  return {
    ...deployment,
    url: l1.url,
    client,
    request,
    mine: async (blocks = 1) => {
      await request('anvil_mine', `0x${blocks.toString(16)}`, '0x1')
    },
    account: (key, more = {}) => {
      const own = keepingLogger()
      const { chainId } = deployment
      const base = { client, signer: signerFromKey(key), chainId, clock: hastyClock, logger: own }
      const account = createL1Account({ ...base, pollMs: 100, ...more })
      accounts.push(account)
      return { ...account, lines: own.lines }
    },
    stop: async () => {
      for (const account of accounts) account.stop()
      await l1.stop()
    },
  }
}

/** The contracts for operators 1, 2 and 3, whose submitters own 10 ether each. */
export const deployTestContracts = (rpcUrl: string): Promise<Deployment> =>
  deployContracts({
    rpcUrl,
    deployerKey: devnetAccount(0).privateKey,
    groupKey: testGroupKey,
    possession: async (outbox) => signAsGroup(possessionMessage({ l1ChainId: 31_337, outbox })),
    operators: [1, 2, 3].map((operator) => ({
      operator,
      ledger: devnetAccount(operator).address,
      submitter: signerFromKey(submitterKey(operator)).address,
    })),
    tipWei: 10n ** 12n,
    fundWei: { outbox: 10n ** 18n, service: 10n ** 18n, submitter: 10n ** 19n },
  })

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
