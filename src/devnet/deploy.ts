import {
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  type TransactionReceipt,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import {
  createL1Client,
  type L1Client,
  type L1Signature,
  outboxAbi,
  outboxArtifact,
  priceConsumerArtifact,
  revertName,
  rpcMessage,
  serviceManagerAbi,
  serviceManagerArtifact,
} from '#ethereum'
import { DomainError, type Hex } from '#primitives'
import { type OperatorId, serviceBytes32 } from '#records'

/** What to deploy, and for whom. */
export type DeployOptions = {
  readonly rpcUrl: string
  /** Pays for everything, owns the ServiceManager. */
  readonly deployerKey: Hex
  /** The group key: x coordinate, and parity of y. */
  readonly groupKey: { readonly px: bigint; readonly parity: number }
  /** The group's signature over `possessionMessage` of this address, where the Outbox will be. */
  readonly possession: (outbox: Hex) => Promise<L1Signature>
  readonly operators: readonly {
    readonly operator: OperatorId
    /** Address of its ledger key, and the L1 account that submits for it. */
    readonly ledger: Hex
    readonly submitter: Hex
  }[]
  /** Added to the pay of each submission. */
  readonly tipWei: bigint
  /** Paid in at once: for submissions, for deliveries of prices, and to each submitter. */
  readonly fundWei: {
    readonly outbox: bigint
    readonly service: bigint
    readonly submitter: bigint
  }
}

/** Where everything is. */
export type Deployment = {
  readonly chainId: number
  readonly outbox: Hex
  readonly serviceManager: Hex
  readonly priceConsumer: Hex
  /** L1 block of the Outbox: events count from here. */
  readonly startBlock: number
}

/**
 * Deploys the contracts, ties them together, funds them and the submitters. Everything is sent at
 * once and needs one L1 block or two.
 *
 * @throws DeployFailedError, naming the step and what L1 said.
 */
export async function deployContracts(options: DeployOptions): Promise<Deployment> {
  const client = createL1Client(options.rpcUrl)
  const deployer = privateKeyToAccount(options.deployerKey)
  const [chainId, nonce, block] = await Promise.all([
    client.getChainId(),
    client.getTransactionCount({ address: deployer.address, blockTag: 'pending' }),
    client.getBlock(),
  ])
  const at = (place: number) =>
    getContractAddress({
      from: deployer.address,
      nonce: BigInt(nonce + place),
    }).toLowerCase() as Hex
  const places = { outbox: at(0), serviceManager: at(1), priceConsumer: at(2) }
  const steps = await stepsOf(client, options, deployer.address, places)
  const raws = await Promise.all(
    steps.map(({ to, data, valueWei, gas }, i) =>
      deployer.signTransaction({
        type: 'eip1559',
        chainId,
        nonce: nonce + i,
        ...(to ? { to } : {}),
        data,
        value: valueWei ?? 0n,
        gas,
        maxFeePerGas: 2n * (block.baseFeePerGas ?? 0n) + tipPerGasWei,
        maxPriorityFeePerGas: tipPerGasWei,
      }),
    ),
  )
  const hashes = await sendAll(client, steps, raws)
  const receipts = await Promise.all(hashes.map((hash) => receiptOf(client, hash)))
  receipts.forEach((receipt, i) => {
    if (receipt.status !== 'success') throw failed(steps[i]?.name ?? '', 'it reverted')
  })
  return { chainId, ...places, startBlock: Number(receipts[0]?.blockNumber ?? 0n) }
}

type Places = Pick<Deployment, 'outbox' | 'serviceManager' | 'priceConsumer'>

type Step = {
  readonly name: string
  /** Absent: a new contract. */
  readonly to?: Hex
  readonly data: Hex
  readonly valueWei?: bigint
  readonly gas: bigint
}

/** Limits of gas: the calls depend on contracts that do not exist yet, so nobody can estimate. */
const gasOf = { manager: 3_000_000n, consumer: 2_000_000n, call: 150_000n, transfer: 21_000n }

/** What a price's consumer may use: about 120,000 for a symbol's first result. */
const priceGasLimit = 150_000

async function stepsOf(
  client: L1Client,
  options: DeployOptions,
  from: Hex,
  places: Places,
): Promise<readonly Step[]> {
  const price = serviceBytes32('price')
  const { outbox, serviceManager: manager, priceConsumer } = places
  const call = { abi: serviceManagerAbi } as const
  const setManager = { abi: outboxAbi, functionName: 'setServiceManager', args: [manager] } as const
  const register = { functionName: 'registerService', args: [price, priceConsumer, priceGasLimit] }
  return [
    await outboxStep(client, options, from, outbox),
    {
      name: 'deploy ServiceManager',
      data: encodeDeployData({ ...serviceManagerArtifact, args: [outbox] }),
      gas: gasOf.manager,
    },
    {
      name: 'deploy PriceConsumer',
      data: encodeDeployData({ ...priceConsumerArtifact, args: [manager] }),
      gas: gasOf.consumer,
    },
    { name: 'set manager', to: outbox, data: encodeFunctionData(setManager), gas: gasOf.call },
    {
      name: 'register price',
      to: manager,
      data: encodeFunctionData({ ...call, ...register } as never),
      gas: gasOf.call,
    },
    {
      name: 'fund Outbox',
      to: outbox,
      data: '0x',
      valueWei: options.fundWei.outbox,
      gas: gasOf.call,
    },
    {
      name: 'fund price',
      to: manager,
      data: encodeFunctionData({ ...call, functionName: 'fund', args: [price] }),
      valueWei: options.fundWei.service,
      gas: gasOf.call,
    },
    ...options.operators.map(
      ({ operator, submitter }): Step => ({
        name: `fund submitter of operator ${operator}`,
        to: submitter,
        data: '0x',
        valueWei: options.fundWei.submitter,
        gas: gasOf.transfer,
      }),
    ),
  ]
}

/** The Outbox comes first and alone can be estimated: that also finds a wrong key or proof. */
async function outboxStep(
  client: L1Client,
  { groupKey, possession, operators, tipWei }: DeployOptions,
  from: Hex,
  outbox: Hex,
): Promise<Step> {
  const { rx, ry, z } = await possession(outbox)
  const data = encodeDeployData({
    ...outboxArtifact,
    args: [groupKey.px, groupKey.parity, rx, ry, z, operators, tipWei],
  })
  const gas = await client.estimateGas({ account: from, data }).catch((error) => {
    throw failed('deploy Outbox', revertName(error) ?? rpcMessage(error), error)
  })
  return { name: 'deploy Outbox', data, gas: (gas * 21n) / 20n }
}

/** In order of nonces, so that the pool never sees a gap. */
async function sendAll(
  client: L1Client,
  steps: readonly Step[],
  raws: readonly Hex[],
): Promise<readonly Hex[]> {
  const hashes: Hex[] = []
  for (const [i, serializedTransaction] of raws.entries())
    hashes.push(
      await client.sendRawTransaction({ serializedTransaction }).catch((error) => {
        throw failed(steps[i]?.name ?? '', rpcMessage(error), error)
      }),
    )
  return hashes
}

async function receiptOf(client: L1Client, hash: Hex): Promise<TransactionReceipt> {
  return client
    .waitForTransactionReceipt({ hash, pollingInterval: 100, timeout: 60_000 })
    .catch((error) => {
      throw failed('wait for receipts', rpcMessage(error), error)
    })
}

/** 1 gwei: anvil's own suggestion. */
const tipPerGasWei = 10n ** 9n

const failed = (step: string, said: string, cause?: unknown): DeployFailedError =>
  new DeployFailedError(`deployment failed at "${step}": ${said}`, { step, said }, cause)

/** L1 refused a step of the deployment. */
export class DeployFailedError extends DomainError<'DeployFailed', { step: string; said: string }> {
  override readonly code = 'DeployFailed'
}
