import { Command } from 'commander'
import { type OperatorView, type StatusView, toJson } from '#api'
import { clientOf, columns, exitCodes, type GatewayOptions, type Surroundings } from './cli.ts'

/** `nodeop status`: how far the network has come, and each operator's record. */
export const statusCommand = (around: Surroundings, finish: (code: number) => void): Command =>
  new Command('status')
    .description('show how far the network has come, and its operators')
    .option('--rpc <urls>', 'gateways, separated by commas (or NODEOP_RPC)')
    .option('--json', 'print one JSON line')
    .action(async (options: GatewayOptions) => finish(await status(options, around)))

async function status(options: GatewayOptions, around: Surroundings): Promise<number> {
  const client = clientOf(options, around)
  const [state, operators] = await Promise.all([client.nodeop_status(), client.nodeop_operators()])
  const lines = options.json
    ? [toJson({ status: state, operators })]
    : [...describeStatus(state), '', ...describeOperators(operators)]
  for (const line of lines) around.io.write(line)
  return state.ready ? exitCodes.ok : exitCodes.failed
}

function describeStatus(state: StatusView): string[] {
  const { network, operator, ledger, l1, l2, outbox, tasks } = state
  const answerer = `operator ${operator.id} (${operator.name}), ${state.engine} engine`
  const service = state.ready ? 'serving' : `not ready: ${state.reason ?? 'no reason given'}`
  return [
    `${network.name}: ${service}; answered by ${answerer}, version ${state.version}`,
    ...columns([
      ['  consensus', `height ${ledger.height}, ${new Date(ledger.timeMs).toISOString()}`],
      ['  signing', `${network.threshold} of ${network.operators} operators`],
      ...(l2
        ? [['  L2', `chain ${l2.chainId}, block ${l2.block}, ${l2.transactions} transactions`]]
        : []),
      ['  outbox', `${outbox.leaves} leaves in ${outbox.cut} checkpoints`],
      ['  checkpoints', `${outbox.certified} certified, ${outbox.onL1} on L1`],
      ['  tasks', `${tasks.open} open, ${tasks.settled} settled, ${tasks.expired} expired`],
      [
        '  L1',
        `chain ${l1.chainId}, block ${l1.block}, ${l1.events} events agreed` +
          (l1.reason ? `; at rest: ${l1.reason}` : ''),
      ],
      ['  Outbox', l1.outbox],
      ...(l1.url ? [['  L1 endpoint', l1.url]] : []),
    ]),
  ]
}

const describeOperators = (operators: readonly OperatorView[]): string[] =>
  columns([
    [
      'operator',
      'name',
      'status',
      'power',
      'L1 block',
      'missed windows',
      'tasks drawn',
      'share',
      'gateway',
    ],
    ...operators.map((one) => [
      String(one.id),
      one.name,
      one.status,
      one.power,
      one.view.fork ? `${one.view.block} (fork)` : String(one.view.block),
      String(one.missedWindows),
      String((one.scores ?? []).reduce((sum, { drawn }) => sum + drawn, 0)),
      shareOf(one),
      one.gateway ?? '-',
    ]),
  ])

/** Part of each service's tasks in whose committee it sits. */
const shareOf = ({ scores = [] }: OperatorView): string =>
  scores
    .map(({ service, share }) => `${service} ${((Number(share) / 1e18) * 100).toFixed(1)} %`)
    .join(', ') || '-'
