// One operator's process under CometBFT: CONTENDER MEMPOOL ID TIME SOCKET FOLDER WAIT.
import { serveApplication } from '#consensus'
import { systemClock } from '#node'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { genesisOf } from './comet-genesis.ts'
import { createEmptyApplication } from './empty-application.ts'
import { openPayloadApplication, payloadNetwork } from './payload-operator.ts'

const [contender, mempool, id, timeMs, socket, folder, waitMs] = process.argv.slice(2)
if (!id || !timeMs || !socket || !folder || !waitMs)
  throw new Error('CONTENDER MEMPOOL ID TIME SOCKET FOLDER WAIT')
const network = payloadNetwork(4, Number(timeMs))
const operator = { network, operator: Number(id), folder, logger: silentLogger }
const { application } =
  contender === 'empty'
    ? { application: createEmptyApplication(network) }
    : await openPayloadApplication(operator)
await serveApplication({
  ...{ application, chain: genesisOf(network), listen: { path: socket }, logger: silentLogger },
  ...(mempool === 'app'
    ? { mempool, patience: { clock: systemClock, limitMs: Number(waitMs) } }
    : { mempool: 'flood' }),
  onFailure: (error) => {
    throw error
  },
})
process.stdout.write('listening\n')
process.once('SIGTERM', () => process.exit(0))
