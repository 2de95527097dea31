import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Who measures: the labels of `nodeop_build_info`. */
export type BuildInfo = {
  readonly version: string
  readonly engine: string
  /** The operator's name; on every metric, so that several fit one scrape. */
  readonly operator: string
}

/** Upper bounds in seconds: from a cached read to a whole submission window. */
const durationBuckets = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60]

/** Values that a free label may take before the rest becomes `other`. */
const maxLabelValues = 64

/**
 * An operator's metrics, in a registry of its own. Names end in their unit; labels are bounded: no
 * label holds an address, a hash or a task.
 */
export function createMetrics(info: BuildInfo) {
  const registry = new Registry()
  registry.setDefaultLabels({ operator: info.operator })
  const make = instruments(registry)
  make
    .gauge('build_info', 'Always 1; the labels say what runs.', ['version', 'engine', 'node'])
    .set({ version: info.version, engine: info.engine, node: process.version }, 1)
  return {
    contentType: registry.contentType,
    /** With the process's own figures (`process_*`, `nodejs_*`), which its operators share. */
    text: async () => `${await registry.metrics()}\n${await processRegistry().metrics()}`,
    setReady: readiness(registry),
    ...consensusMetrics(make),
    ...ledgerMetrics(make),
    ...taskMetrics(make),
    ...signingMetrics(make),
    ...l1Metrics(make),
    rpc: rpcMetrics(make),
  }
}

export type Metrics = ReturnType<typeof createMetrics>

let processFigures: Registry | undefined

/** Figures of this process: collected once, however many operators it runs. */
function processRegistry(): Registry {
  if (!processFigures) {
    processFigures = new Registry()
    collectDefaultMetrics({ register: processFigures })
  }
  return processFigures
}

/** A label value that may come from outside: the first so many distinct ones, then `other`. */
export function createLabelBound(limit: number = maxLabelValues): (value: string) => string {
  const seen = new Set<string>()
  return (value) => {
    if (seen.has(value)) return value
    if (seen.size >= limit) return 'other'
    seen.add(value)
    return value
  }
}

type Make = ReturnType<typeof instruments>

/** Constructors that put what they make into the registry, under our prefix. */
function instruments(registry: Registry) {
  const shared = <L extends string>(name: string, help: string, labelNames: readonly L[]) => ({
    name: `nodeop_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  })
  return {
    gauge: <L extends string = never>(name: string, help: string, labels: readonly L[] = []) =>
      new Gauge<L>(shared(name, help, labels)),
    counter: <L extends string = never>(name: string, help: string, labels: readonly L[] = []) =>
      new Counter<L>(shared(name, help, labels)),
    seconds: <L extends string = never>(name: string, help: string, labels: readonly L[] = []) =>
      new Histogram<L>({ ...shared(name, help, labels), buckets: durationBuckets }),
  }
}

/** 1 under the present reason only: `ready` when it serves, else why not. */
function readiness(registry: Registry): (ready: boolean, reason?: string) => void {
  const gauge = instruments(registry).gauge('ready', 'Whether the operator serves.', ['reason'])
  const bound = createLabelBound()
  gauge.set({ reason: 'starting' }, 0)
  return (ready, reason = 'unknown') => {
    gauge.reset()
    gauge.set({ reason: ready ? 'ready' : bound(reason) }, ready ? 1 : 0)
  }
}

const consensusMetrics = ({ gauge, counter, seconds }: Make) => ({
  consensusHeight: gauge('consensus_height', 'Last committed block.'),
  consensusRound: gauge('consensus_round', 'Round in which the last block was decided.'),
  consensusLateBlocks: counter('consensus_late_blocks_total', 'Blocks decided above round 0.'),
  consensusBlockInterval: seconds(
    'consensus_block_interval_seconds',
    'Time between two committed blocks.',
  ),
})

const ledgerMetrics = ({ gauge, counter, seconds }: Make) => ({
  blockExecution: seconds('block_execution_seconds', 'Executing and committing one block.'),
  transactions: counter('transactions_total', 'Transactions in decided blocks.', ['kind']),
  /** Bound `reason` by a code of `docs/reasons.md`. */
  refused: counter('refused_total', 'Transactions refused.', ['kind', 'reason']),
  mempoolTransactions: gauge('mempool_transactions', 'Transactions that wait for a block.'),
  mempoolBytes: gauge('mempool_bytes', 'Bytes of transactions that wait for a block.'),
})

const taskMetrics = ({ counter, seconds }: Make) => ({
  taskAccepted: counter('task_accepted_total', 'Tasks accepted by the ledger.', ['service']),
  taskAssigned: counter('task_assigned_total', 'Tasks drawn for this operator.', ['service']),
  taskCompleted: counter('task_completed_total', 'Tasks that ended agreed.', ['service']),
  taskFailed: counter('task_failed_total', 'Tasks that ended without a result.', [
    'service',
    'reason',
  ]),
  taskAudited: counter('task_audited_total', 'Audits that ended.', ['service', 'outcome']),
  taskDuration: seconds('task_duration_seconds', 'From accepted to agreed, in block time.', [
    'service',
  ]),
})

const signingMetrics = ({ counter, seconds }: Make) => ({
  signingPermitted: counter('signing_permitted_total', 'Signatures that the guard let pass.', [
    'key',
  ]),
  signingPrevented: counter('signing_prevented_total', 'Signatures that the guard refused.', [
    'key',
  ]),
  signingDuration: seconds('signing_duration_seconds', 'From a checkpoint cut to certified.'),
  checkpointsCertified: counter('checkpoints_certified_total', 'Checkpoints that were certified.'),
})

const l1Metrics = ({ gauge, counter, seconds }: Make) => ({
  l1Block: gauge('l1_block', 'L1 block at the governed depth.'),
  l1Frozen: gauge('l1_frozen', '1 while operators disagree about L1: what it drives rests.'),
  l1Submissions: counter('l1_submission_total', 'Checkpoints we sent to L1.', ['outcome']),
  l1Deliveries: counter('l1_delivery_total', 'Leaves we executed on L1.', ['outcome']),
  l1Fallback: counter('l1_fallback_total', 'Checkpoints that landed by fallback.'),
  l1MissedWindows: counter('l1_missed_windows_total', 'Windows that this operator missed.'),
  l1WindowRemaining: gauge('l1_window_remaining_seconds', 'Left of our present window.'),
  l1Balance: gauge('l1_balance_wei', 'Balance of our L1 account.'),
  l1SubmissionDuration: seconds(
    'l1_submission_duration_seconds',
    'From a checkpoint certified to recorded.',
  ),
})

function rpcMetrics({ counter, seconds }: Make) {
  const requests = counter('rpc_requests_total', 'JSON-RPC calls.', ['method', 'outcome'])
  const duration = seconds('rpc_duration_seconds', 'Time to answer a JSON-RPC call.', ['method'])
  return (call: {
    readonly method: string
    readonly outcome: string
    readonly seconds: number
  }) => {
    requests.inc({ method: call.method, outcome: call.outcome })
    duration.observe({ method: call.method }, call.seconds)
  }
}
