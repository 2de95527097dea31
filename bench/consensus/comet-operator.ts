// One operator's process under CometBFT: CONTENDER MEMPOOL ID TIME SOCKET FOLDER.
import { serveApplication } from '#consensus'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { genesisOf } from './comet-genesis.ts'
import { createEmptyApplication } from './empty-application.ts'
import { openPayloadApplication, payloadNetwork } from './payload-operator.ts'

const [contender, mempool, id, timeMs, socket, folder] = process.argv.slice(2)
if (!id || !timeMs || !socket || !folder) throw new Error('CONTENDER MEMPOOL ID TIME SOCKET FOLDER')
const network = payloadNetwork(4, Number(timeMs))
const operator = { network, operator: Number(id), folder, logger: silentLogger }
const { application } =
  contender === 'empty'
    ? { application: createEmptyApplication(network) }
    : await openPayloadApplication(operator)
await serveApplication({
  ...{ application, chain: genesisOf(network), listen: { path: socket }, logger: silentLogger },
  mempool: mempool === 'app' ? mempool : 'flood',
  onFailure: (error) => {
    throw error
  },
})
process.stdout.write('listening\n')
process.once('SIGTERM', () => process.exit(0))
