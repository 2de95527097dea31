import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createL1Client, outboxAbi, serviceManagerAbi, signerFromKey } from '#ethereum'
import { serviceBytes32 } from '#records'
import { keepingLogger } from '../ethereum/test-support/clock.ts'
import {
  deployTestContracts,
  signAsGroup,
  submitterKey,
  testGroupKey,
} from '../ethereum/test-support/l1.ts'
import { deployContracts } from './deploy.ts'
import { devnetAccount, type L1Process, startL1 } from './l1.ts'

let l1: L1Process
before(async () => {
  l1 = await startL1({ logger: keepingLogger() })
})
after(() => l1.stop())

test('deployContracts: everything is in place, tied together and funded', async () => {
  const client = createL1Client(l1.url)
  const deployed = await deployTestContracts(l1.url)
  const { outbox, serviceManager, priceConsumer, startBlock } = deployed
  const outboxCall = { address: outbox, abi: outboxAbi } as const
  const managerCall = { address: serviceManager, abi: serviceManagerAbi } as const
  const price = serviceBytes32('price')
  const manager = await client.readContract({ ...outboxCall, functionName: 'serviceManager' })
  assert.equal(manager.toLowerCase(), serviceManager)
  const consumer = await client.readContract({
    ...managerCall,
    functionName: 'consumerOf',
    args: [price],
  })
  assert.equal(consumer.toLowerCase(), priceConsumer)
  const fund = { ...managerCall, functionName: 'fundOf', args: [price] } as const
  assert.equal(await client.readContract(fund), 10n ** 18n)
  assert.equal(await client.getBalance({ address: outbox }), 10n ** 18n)
  const { address } = signerFromKey(submitterKey(2))
  assert.equal(await client.getBalance({ address }), 10n ** 19n)
  const seat = { ...outboxCall, functionName: 'submitterOf', args: [2] } as const
  assert.equal(await client.readContract(seat), address)
  const before = { address: outbox, blockNumber: BigInt(startBlock - 1) }
  assert.equal(await client.getCode(before), undefined, 'events count from its own block')
})

test('deployContracts: a proof for another address is refused by name', async () => {
  const deployment = deployContracts({
    rpcUrl: l1.url,
    deployerKey: devnetAccount(1).privateKey,
    groupKey: testGroupKey,
    possession: async () => signAsGroup(`0x${'11'.repeat(32)}`),
    operators: [],
    tipWei: 0n,
    fundWei: { outbox: 0n, service: 0n, submitter: 0n },
  })
  const message = 'deployment failed at "deploy Outbox": InvalidProofOfPossession'
  await assert.rejects(deployment, { code: 'DeployFailed', message })
})
