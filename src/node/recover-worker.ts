import os from 'node:os'
import { parentPort } from 'node:worker_threads'
import { assert, giveWay } from '#primitives'
import { loadSecp256k1 } from './recover.ts'
import { answerOf } from './recover-batch.ts'

// The thread that recovers public keys. Its client, `RecoverThread`, hands it many at a time, and
// the next when it has answered.

const port = parentPort
assert(port, 'this file is started as a worker')
giveWay(os)
const { recover } = loadSecp256k1()
port.on('message', (question: Uint8Array) => {
  const answer = answerOf(question, recover)
  port.postMessage(answer, [answer.buffer])
})
port.postMessage('ready')
