import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createL1Client, outboxAbi, serviceManagerAbi } from '#ethereum'
import type { Hex, Logger } from '#primitives'
import { possessionMessage, serviceBytes32 } from '#records'
import { groupKeyForL1, signatureForL1, signTogether, trustedDealer } from '#threshold'
import { deployContracts } from './deploy.ts'
import { devnetAccount, type L1Process, startL1 } from './l1.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const rng = (length: number) => new Uint8Array(randomBytes(length))

let l1: L1Process
before(async () => {
  l1 = await startL1({ logger: silent })
})
after(() => l1.stop())

const keys = trustedDealer(3, 2, rng)
const { px, parity } = groupKeyForL1(keys[0]?.groupKey ?? '0x')
const submitter: Hex = `0x${'5b'.repeat(20)}`
const terms = (signedFor?: Hex) => ({
  rpcUrl: l1.url,
  deployerKey: devnetAccount(0).privateKey,
  groupKey: { px, parity },
  possession: async (outbox: Hex) => {
    const message = possessionMessage({ l1ChainId: 31_337, outbox: signedFor ?? outbox })
    return signatureForL1(signTogether(keys.slice(0, 2), message, rng))
  },
  operators: [{ operator: 1, ledger: devnetAccount(1).address, submitter }],
  tipWei: 10n ** 12n,
  fundWei: { outbox: 3n, service: 4n, submitter: 5n },
})

test('deployContracts: everything is in place, tied together and funded', async () => {
  const client = createL1Client(l1.url)
  const { outbox, serviceManager, priceConsumer, startBlock } = await deployContracts(terms())
  const inOutbox = { address: outbox, abi: outboxAbi } as const
  const inManager = { address: serviceManager, abi: serviceManagerAbi } as const
  const args = [serviceBytes32('price')] as const
  const [manager, consumer, fund, seat] = await Promise.all([
    client.readContract({ ...inOutbox, functionName: 'serviceManager' }),
    client.readContract({ ...inManager, functionName: 'consumerOf', args }),
    client.readContract({ ...inManager, functionName: 'fundOf', args }),
    client.readContract({ ...inOutbox, functionName: 'submitterOf', args: [1] }),
  ])
  const addresses = [manager, consumer, seat].map((address) => address.toLowerCase())
  assert.deepEqual(addresses, [serviceManager, priceConsumer, submitter])
  assert.equal(fund, 4n)
  assert.equal(await client.getBalance({ address: outbox }), 3n)
  assert.equal(await client.getBalance({ address: submitter }), 5n)
  const before = { address: outbox, blockNumber: BigInt(startBlock - 1) }
  assert.equal(await client.getCode(before), undefined, 'events count from its own block')
})

test('deployContracts: a proof for another address is refused by name', async () => {
  const message = 'deployment failed at "deploy Outbox": InvalidProofOfPossession'
  await assert.rejects(deployContracts(terms(submitter)), { code: 'DeployFailed', message })
})
