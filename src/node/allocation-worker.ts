import { constants, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { assert } from '#primitives'
import { type AllocationAnswer, type AllocationQuestion, proposeAllocation } from './allocator.ts'

// The thread that solves allocations. Its client, `createAllocator`, asks again when it has
// answered or ends it.

const port = parentPort
assert(port, 'this file is started as a worker')
// Where cores are few, blocks come first. Only Linux has a priority for each thread: elsewhere this
// would be the whole process's.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
port.on('message', ({ epoch, programme }: AllocationQuestion) => {
  const proposal = proposeAllocation(epoch, programme)
  port.postMessage({ epoch, proposal } satisfies AllocationAnswer)
})
