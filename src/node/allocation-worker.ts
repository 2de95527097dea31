import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '#primitives'
import { type AllocationQuestion, proposeAllocation } from './allocator.ts'

// The thread that solves one allocation and ends with it. Its client is `createAllocator`.

assert(parentPort, 'this file is started as a worker')
// Where cores are few, blocks come first. Only Linux has a priority for each thread: elsewhere this
// would be the whole process's.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
const { epoch, programme } = workerData as AllocationQuestion
parentPort.postMessage(proposeAllocation(epoch, programme))
