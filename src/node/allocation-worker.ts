import os from 'node:os'
import { parentPort } from 'node:worker_threads'
import { assert, giveWay } from '#primitives'
import { type AllocationAnswer, type AllocationQuestion, proposeAllocation } from './allocator.ts'

// The thread that solves allocations. Its client, `createAllocator`, asks again when it has
// answered or ends it.

const port = parentPort
assert(port, 'this file is started as a worker')
giveWay(os)
port.on('message', ({ epoch, programme }: AllocationQuestion) => {
  const proposal = proposeAllocation(epoch, programme)
  port.postMessage({ epoch, proposal } satisfies AllocationAnswer)
})
