import { type StatusView, serveNodeop } from '#api'
import { isL1Frozen } from '#protocol'
import { networkId } from '#records'
import { createGateway, type Gateway, type Health } from './gateway/gateway.ts'
import { operatorApi } from './operator-api.ts'
import type { OperatorOptions, OperatorParts } from './operator-parts.ts'
import { ethereumRpc, findTransaction } from './sequencer-host.ts'
import { version } from './version.ts'

/** Opens the operator's HTTP face over its parts. */
export function openGateway(options: OperatorOptions, parts: OperatorParts): Promise<Gateway> {
  const { application, acceptance, history, outbox, sequencer, mempool, metrics } = parts
  const api = operatorApi({
    ledger: () => application.ledger,
    history,
    outbox,
    submit: (bytes) => acceptance.accept(bytes),
    isWaiting: (task) => mempool.hasTask(task),
    status: () => statusOf(options, parts),
    findTransaction: async (hash) =>
      sequencer && findTransaction(sequencer, hash, (one) => acceptance.reasonOf(one)),
    gatewayOf: (operator) => options.gateways().get(operator),
  })
  const isBehind = () => !healthOf(parts).ready
  const ethereum = sequencer
    ? ethereumRpc(sequencer, (bytes) => acceptance.accept(bytes), isBehind)
    : {}
  return createGateway({
    port: options.port,
    ...(options.host === undefined ? {} : { host: options.host }),
    methods: { ...ethereum, ...serveNodeop(api) },
    health: () => healthOf(parts),
    metrics: { contentType: metrics.contentType, text: () => scrape(parts) },
    observe: metrics.rpc,
    logger: options.logger,
  })
}

/** Without a block for so long, the network does not reach this operator, or it catches up. */
const behindMs = 10_000

/** Serves while it is live and follows the network. */
function healthOf({ phase, failure, liveSinceMs, engine, options }: OperatorParts): Health {
  if (phase === 'failed') return { live: false, ready: false, reason: failure }
  if (phase === 'superseded')
    return { live: true, ready: false, reason: 'another copy of this operator speaks for it' }
  if (phase === 'held')
    return { live: true, ready: false, reason: 'restored from a backup, it signs nothing yet' }
  if (phase !== 'live') return { live: true, ready: false, reason: phase }
  const { height, timeMs } = engine.status()
  const ageMs = options.clock.nowMs() - (height === 0 ? liveSinceMs : timeMs)
  return ageMs > behindMs
    ? { live: true, ready: false, reason: `no block for ${behindMs / 1000} s` }
    : { live: true, ready: true }
}

/** The metrics, with those that are read when they are asked for. */
function scrape(parts: OperatorParts): Promise<string> {
  const { metrics, mempool } = parts
  const { ready, reason } = healthOf(parts)
  metrics.setReady(ready, reason)
  metrics.mempoolTransactions.set(mempool.size)
  metrics.mempoolBytes.set(mempool.bytes)
  return metrics.text()
}

async function statusOf(options: OperatorOptions, parts: OperatorParts): Promise<StatusView> {
  const { genesis, id, name } = options
  const { application, history, sequencer } = parts
  const { ledger } = application
  const { height, appHash } = await application.info()
  const { epoch } = ledger.chain
  const { ready, reason } = healthOf(parts)
  const [newest] = history.blocks(1)
  const head = await sequencer?.engine.head()
  const certified = [...ledger.checkpoints.values()]
    .filter(({ signature }) => signature !== undefined)
    .reduce((highest, { checkpoint }) => Math.max(highest, checkpoint.index), 0)
  return {
    version,
    engine: options.consensus.engine,
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
    ledger: { height, timeMs: newest?.timeMs ?? genesis.timeMs, appHash, epoch },
    l1: {
      chainId: genesis.l1ChainId,
      outbox: genesis.outbox,
      serviceManager: genesis.serviceManager,
      url: options.l1Url,
      block: ledger.chain.l1.block,
      events: ledger.chain.l1.events,
      ...(isL1Frozen(ledger) ? { reason: 'L1Frozen' } : {}),
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
