import { encodeAbiParameters, encodeFunctionData, keccak256 } from 'viem'
import {
  groupVerifierArtifact,
  outboxArtifact,
  priceConsumerArtifact,
  serviceManagerArtifact,
} from '#ethereum'
import { fromHex, type Hex, RangeIndex, toHex, utf8 } from '#primitives'
import {
  type Checkpoint,
  type Leaf,
  leafHash,
  leafTuple,
  packSubmitters,
  serviceBytes32,
} from '#records'
import { type Compiled, compile, readSources } from '../tools/compile.ts'
import {
  createBn254Group,
  createMultisigGroup,
  easyBn254Message,
  type MultisigGroup,
} from './certificate-peers.ts'
import { cost, type Figure, type Report } from './figure.ts'
import { createFrostGroup, type FrostGroup, required } from './frost-group.ts'
import { type LocalChain, startLocalChain } from './local-chain.ts'

const name = 'certificate'
const sizes = [4, 16, 100] as const

/** Like every number in the call data, without zero bytes where it can be: 0x691fd2a9. */
const startS = 0x691fd2a9
/** A day: all submissions fall into the owner's window. */
const windowS = 86_400
const tipWei = 10n ** 12n
const consumerGas = 200_000
/** Leaves under the checkpoint of the executed leaf: ten siblings. */
const treeSize = 1024

const notes = [
  'Gas of whole transactions from receipts at steady state: every slot was used before.',
  'Signatures, roots and proofs are chosen without zero bytes (each would cost 12 gas less).',
  'submit: peer = k-of-n ecrecover multisig, k = ⌊2n/3⌋+1, same payload and effects.',
  'verify: a call to a warm contract, 21,000 and call data not counted; peer = BN254 aggregate of',
  'all n signers by one pairing check, nobody missing, hash-to-curve at its first attempt.',
  `execute-leaf: a price, proven by ten siblings, to its consumer; peer = the same delivery under`,
  'k ecrecover signatures over the leaf.',
]

/** What a certificate costs on L1, beside an ecrecover multisig and a BN254 aggregate. */
export async function certificate(): Promise<Report> {
  const contracts = compile({ ...readSources('contracts/src'), ...readSources('contracts/bench') })
  const chain = await startLocalChain(startS + 1)
  try {
    const figures: Figure[] = []
    const tree = createTree()
    for (const n of sizes) figures.push(...(await measureSize(chain, contracts, tree, n)))
    figures.push(await measureVerify(chain, contracts, Math.max(...sizes)))
    return { figures: figures.sort(byMetric), notes }
  } finally {
    await chain.stop()
  }
}

const order = ['submit-gas', 'verify-gas', 'execute-leaf-gas']
const byMetric = (a: Figure, b: Figure) =>
  order.findIndex((prefix) => a.metric.startsWith(prefix)) -
  order.findIndex((prefix) => b.metric.startsWith(prefix))

type Contracts = ReadonlyMap<string, Compiled>

async function measureSize(
  chain: LocalChain,
  contracts: Contracts,
  tree: Tree,
  n: number,
): Promise<Figure[]> {
  const ours = await deployOurs(chain, tree, n)
  const peer = await deployPeer(chain, contracts, n)
  const submit = { ours: 0, peer: 0 }
  // The first fills the slots, the second is measured.
  for (const checkpoint of checkpoints(tree.root)) {
    submit.ours = await ours.submit(checkpoint)
    submit.peer = await peer.submit(checkpoint)
  }
  const execute = { ours: 0, peer: 0 }
  for (const leaf of tree.executed) {
    execute.ours = await ours.execute(leaf)
    execute.peer = await peer.execute(leaf)
  }
  const suffix = n === sizes[0] ? '' : `@${n}`
  return [
    cost(name, `submit-gas@${n}`, { ...submit, unit: 'gas', n }),
    cost(name, `execute-leaf-gas${suffix}`, { ...execute, unit: 'gas', n }),
  ]
}

type Subject = {
  submit(checkpoint: Checkpoint): Promise<number>
  execute(leaf: Leaf): Promise<number>
}

async function deployOurs(chain: LocalChain, tree: Tree, n: number): Promise<Subject> {
  const group = createFrostGroup(n)
  const outbox = await deployOutbox(chain, group, n)
  await deployServices(chain, outbox, outboxArtifact)
  return {
    submit: async (checkpoint) => {
      const tuple = checkpointTuple(checkpoint)
      const message = (await chain.read(outbox, outboxArtifact, 'checkpointMessage', [
        tuple,
      ])) as Hex
      const { rx, ry, z } = group.sign(message)
      return chain.send(outbox, outboxArtifact, 'submit', [tuple, rx, ry, z, 1])
    },
    execute: (leaf) => {
      const proof = tree.index.prove(leaf.index, treeSize)
      const args = [leafTuple(leaf), proof, BigInt(lastIndex), BigInt(treeSize), tree.root]
      return chain.send(outbox, outboxArtifact, 'execute', args)
    },
  }
}

async function deployOutbox(chain: LocalChain, group: FrostGroup, n: number): Promise<Hex> {
  const address = await chain.nextAddress()
  const message = encodeAbiParameters(
    [{ type: 'bytes32' }, { type: 'uint256' }, { type: 'address' }],
    [keccak256(toHex(utf8('NodeOP proof of possession v1'))), BigInt(chain.chainId), address],
  )
  const { rx, ry, z } = group.sign(keccak256(message))
  const operators = Array.from({ length: n }, (_, i) => ({
    operator: i + 1,
    ledger: chain.account,
    submitter: chain.account,
  }))
  return chain.deploy(outboxArtifact, [group.x, group.parity, rx, ry, z, operators, tipWei])
}

async function deployPeer(chain: LocalChain, contracts: Contracts, n: number): Promise<Subject> {
  const group: MultisigGroup = createMultisigGroup(n)
  const contract = required(contracts.get('MultisigOutbox'))
  const args = [group.signers, BigInt(group.threshold), chain.account, tipWei]
  const outbox = await chain.deploy(contract, args)
  await deployServices(chain, outbox, contract)
  const sign = async (message: string, tuple: unknown) =>
    group.sign((await chain.read(outbox, contract, message, [tuple])) as Hex)
  return {
    submit: async (checkpoint) => {
      const tuple = checkpointTuple(checkpoint)
      const signatures = await sign('checkpointMessage', tuple)
      return chain.send(outbox, contract, 'submit', [tuple, signatures, 1])
    },
    execute: async (leaf) => {
      const tuple = leafTuple(leaf)
      const signatures = await sign('leafMessage', tuple)
      return chain.send(outbox, contract, 'execute', [tuple, signatures])
    },
  }
}

/** Service manager and price consumer behind an outbox, with a fund that pays for deliveries. */
async function deployServices(
  chain: LocalChain,
  outbox: Hex,
  contract: { readonly abi: readonly unknown[] },
): Promise<void> {
  const manager = await chain.deploy(serviceManagerArtifact, [outbox])
  const consumer = await chain.deploy(priceConsumerArtifact, [manager])
  const service = serviceBytes32('price')
  await chain.send(outbox, contract, 'setServiceManager', [manager])
  const registration = [service, consumer, consumerGas]
  await chain.send(manager, serviceManagerArtifact, 'registerService', registration)
  await chain.send(manager, serviceManagerArtifact, 'fund', [service], 10n ** 18n)
}

async function measureVerify(chain: LocalChain, contracts: Contracts, n: number): Promise<Figure> {
  const meter = required(contracts.get('GasMeter'))
  const meterAddress = await chain.deploy(meter)
  const measure = async (target: Hex, data: Hex) => {
    const result = await chain.read(meterAddress, meter, 'measure', [target, data])
    const [used, isTrue] = result as [bigint, boolean]
    if (!isTrue) throw new Error('the measured signature does not verify')
    return Number(used)
  }
  const message = easyBn254Message()
  const group = createFrostGroup(n)
  const { rx, ry, z } = group.sign(message)
  const verifier = await chain.deploy(groupVerifierArtifact, [group.x, group.parity])
  const ours = encodeFunctionData({
    abi: groupVerifierArtifact.abi,
    functionName: 'verify',
    args: [message, rx, ry, z],
  })
  const aggregate = createBn254Group(n)
  const bn254 = required(contracts.get('Bn254Verifier'))
  const { x, y } = aggregate.sign(message)
  const peer = encodeFunctionData({
    abi: bn254.abi,
    functionName: 'verify',
    args: [message, x, y],
  })
  const figures = {
    ours: await measure(verifier, ours),
    peer: await measure(await chain.deploy(bn254, [aggregate.key]), peer),
  }
  return cost(name, 'verify-gas', { ...figures, unit: 'gas', n })
}

const lastIndex = 2

const checkpoints = (root: Hex): readonly Checkpoint[] =>
  Array.from({ length: lastIndex }, (_, i) => ({
    index: i + 1,
    size: treeSize,
    root,
    startS,
    windowS,
    submitters: [1, 2, 3, 4],
  }))

const checkpointTuple = (checkpoint: Checkpoint) => ({
  index: BigInt(checkpoint.index),
  size: BigInt(checkpoint.size),
  root: checkpoint.root,
  start: BigInt(checkpoint.startS),
  window: checkpoint.windowS,
  submitters: packSubmitters(checkpoint.submitters),
})

type Tree = { readonly index: RangeIndex; readonly root: Hex; readonly executed: readonly Leaf[] }

/** A tree whose root and proofs have no zero bytes. */
function createTree(): Tree {
  for (let salt = 0; ; salt++) {
    const leaves = Array.from({ length: treeSize }, (_, i) => priceLeaf(i, salt))
    const index = new RangeIndex()
    for (const leaf of leaves) index.append(leafHash(leaf))
    const root = index.root(treeSize)
    // Two leaves of one word of the bitmap.
    const executed = [required(leaves[treeSize - 2]), required(leaves[treeSize - 1])]
    const words = [root, ...executed.flatMap((leaf) => index.prove(leaf.index, treeSize))]
    if (words.every((word) => !/^0x(..)*00/.test(word))) return { index, root, executed }
  }
}

function priceLeaf(index: number, salt: number): Leaf {
  const symbol = serviceBytes32('ETH-USD')
  const body = encodeAbiParameters(
    [{ type: 'bytes32' }, { type: 'int256' }, { type: 'uint64' }],
    [symbol, 3_141_592_653n + BigInt(index), BigInt(startS + index)],
  )
  return {
    index,
    service: 'price',
    kind: 'result',
    subject: keccak256(toHex(utf8(`task ${salt} ${index}`))),
    rule: 'median',
    agreeingWeight: 4,
    committeeWeight: 4,
    stakeWei: 4n * 10n ** 20n,
    body: fromHex(body),
  }
}
