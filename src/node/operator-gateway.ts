import { type StatusView, serveNodeop } from '#api'
import { networkId } from '#records'
import { createGateway, type Gateway, type Health } from './gateway/gateway.ts'
import { operatorApi } from './operator-api.ts'
import type { OperatorOptions, OperatorParts } from './operator-parts.ts'
import { ethereumRpc, findTransaction } from './sequencer-host.ts'

/** The software's version, as `nodeop_status` and metrics show it. */
export const version = '0.1.0'

/** Opens the operator's HTTP face over its parts. */
export function openGateway(options: OperatorOptions, parts: OperatorParts): Promise<Gateway> {
  const { application, engine, history, outbox, sequencer, mempool, metrics } = parts
  const api = operatorApi({
    ledger: () => application.ledger,
    history,
    outbox,
    submit: (bytes) => engine.submit(bytes),
    isWaiting: (task) => mempool.hasTask(task),
    status: () => statusOf(options, parts),
    findTransaction: async (hash) => (sequencer ? findTransaction(sequencer, hash) : undefined),
    gatewayOf: (operator) => options.gateways().get(operator),
  })
  const ethereum = sequencer ? ethereumRpc(sequencer, (bytes) => engine.submit(bytes)) : {}
  return createGateway({
    port: options.port,
    methods: { ...ethereum, ...serveNodeop(api) },
    health: () => healthOf(parts),
    metrics,
    observe: metrics.rpc,
    logger: options.logger,
  })
}

/** Ready between start and stop; before, it replays its blocks. */
function healthOf({ engine, isLive }: OperatorParts): Health {
  if (engine.status().phase === 'failed')
    return { live: false, ready: false, reason: 'consensus has failed' }
  return isLive ? { live: true, ready: true } : { live: true, ready: false, reason: 'starting' }
}

async function statusOf(options: OperatorOptions, parts: OperatorParts): Promise<StatusView> {
  const { genesis, id, name } = options
  const { application, history, sequencer } = parts
  const { ledger } = application
  const { height, appHash } = await application.info()
  const { ready, reason } = healthOf(parts)
  const [newest] = history.blocks(1)
  const head = await sequencer?.engine.head()
  const certified = [...ledger.checkpoints.values()]
    .filter(({ signature }) => signature !== undefined)
    .reduce((highest, { checkpoint }) => Math.max(highest, checkpoint.index), 0)
  return {
    version,
    engine: 'embedded',
    operator: { id, name },
    ready,
    ...(reason ? { reason } : {}),
    network: {
      id: networkId(genesis),
      name: genesis.name,
      operators: ledger.operators.size,
      threshold: genesis.threshold,
      groupKey: genesis.groupKey,
    },
    ledger: { height, timeMs: newest?.timeMs ?? genesis.timeMs, appHash },
    l1: {
      chainId: genesis.l1ChainId,
      outbox: genesis.outbox,
      serviceManager: genesis.serviceManager,
      url: options.l1Url,
      block: ledger.chain.l1.block,
      events: ledger.chain.l1.events,
    },
    ...(head && sequencer
      ? {
          l2: {
            chainId: sequencer.chainId,
            block: head.header.number,
            blockHash: head.hash,
            transactions: history.l2Transactions,
          },
        }
      : {}),
    outbox: {
      leaves: ledger.chain.outboxSize,
      cut: ledger.chain.cutIndex,
      certified,
      onL1: ledger.chain.landed.index,
    },
    tasks: { open: ledger.tasks.size, ...history.ended },
    gateways: [...options.gateways().values()],
  }
}
