import { constants, getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { assert } from '#primitives'
import { loadSecp256k1 } from './recover.ts'
import { answerOf } from './recover-batch.ts'

// The thread that recovers public keys. Its client, `RecoverThread`, hands it many at a time, and
// the next when it has answered.

const port = parentPort
assert(port, 'this file is started as a worker')
// Where cores are few, blocks come first. Only Linux has a priority for each thread: elsewhere this
// would be the whole process's. A process that has given up more already may not take some back.
const priority = constants.priority.PRIORITY_BELOW_NORMAL
if (process.platform === 'linux' && getPriority() < priority) setPriority(priority)
const { recover } = loadSecp256k1()
port.on('message', (question: Uint8Array) => {
  const answer = answerOf(question, recover)
  port.postMessage(answer, [answer.buffer])
})
port.postMessage('ready')
