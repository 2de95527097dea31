import {
  type CheckpointView,
  type NodeopApi,
  type OperatorView,
  type ProofView,
  refusal,
  type StatusView,
  toLeafView,
  toTaskRequest,
  toTaskView,
  unknownProof,
} from '#api'
import { type Hex, oneWad } from '#primitives'
import {
  type Ledger,
  operatorsOf,
  parameter,
  parameterNames,
  scoreOf,
  sharesOf,
  taskOf,
  trustOf,
} from '#protocol'
import {
  type CheckpointRecord,
  type Declaration,
  encodeTransaction,
  type Leaf,
  micro,
  type Operator,
  taskDigest,
  type Verdict,
} from '#records'
import type { History } from './history.ts'
import { checkpointOfLeaf, type OutboxIndex } from './outbox-index.ts'

/** An L2 transaction's place in its block, with the path that proves it. */
export type TransactionPlace = NonNullable<ProofView['transaction']>

/** What the nodeop methods of one operator read and do. */
export type OperatorParts = {
  readonly ledger: () => Ledger
  readonly history: History
  readonly outbox: OutboxIndex
  readonly submit: (bytes: Uint8Array) => Promise<Verdict>
  /** Whether a task waits in the mempool. */
  readonly isWaiting: (task: Hex) => boolean
  readonly status: () => Promise<StatusView>
  /** Where an L2 transaction is: in a block, waiting, or ended with a reason. */
  readonly findTransaction: (
    hash: Hex,
  ) => Promise<
    | { readonly state: 'included'; readonly place: TransactionPlace }
    | { readonly state: 'waiting' }
    | { readonly state: 'ended'; readonly reason: string }
    | undefined
  >
  readonly gatewayOf: (operator: number) => string | undefined
}

/** The `nodeop_*` namespace over one operator. */
export function operatorApi(parts: OperatorParts): NodeopApi {
  const { ledger, history } = parts
  return {
    nodeop_status: () => parts.status(),
    nodeop_sendTask: async ({ request: view, signature }) => {
      const request = toTaskRequest(view)
      const verdict = await parts.submit(encodeTransaction({ kind: 'task', request, signature }))
      if (!verdict.ok) throw refusal(verdict.reason, verdict.detail)
      return taskDigest(ledger().constants.network, request)
    },
    nodeop_getTask: async (id) => {
      const task = taskOf(ledger(), id)
      return task ? toTaskView(task) : null
    },
    nodeop_getProof: (subject) => proofOf(parts, subject),
    nodeop_checkpoints: async (limit) => newestCheckpoints(ledger(), limit).map(toCheckpointView),
    nodeop_blocks: async (limit) => [...history.blocks(limit)],
    nodeop_tasks: async (limit) =>
      [...ledger().tasks.values(), ...ledger().endedTasks.values()]
        .sort((a, b) => b.acceptedHeight - a.acceptedHeight || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map(toTaskView),
    nodeop_operators: async () =>
      operatorsOf(ledger()).map((one) => toOperatorView(ledger(), one, parts.gatewayOf(one.id))),
    nodeop_services: async () =>
      [...ledger().services.values()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((spec) => ({ ...spec, fee: spec.fee.toString() })),
    nodeop_parameters: async () =>
      parameterNames.map((name) => ({ name, value: String(parameter(ledger(), name)) })),
  }
}

/** As far as the path of a task or L2 transaction exists. */
async function proofOf(parts: OperatorParts, subject: Hex): Promise<ProofView> {
  const task = taskOf(parts.ledger(), subject)
  if (task) {
    const leaf = parts.outbox.leafOf(subject)
    const path = leaf ? pathOf(parts, leaf) : undefined
    const ended = task.status === 'expired' || task.status === 'settled'
    const status = ended ? task.status : (path?.status ?? 'confirmed')
    return {
      ...unknownProof(subject, 'task'),
      ...path,
      status,
      task: toTaskView(task),
      ...(task.reason ? { reason: task.reason } : {}),
    }
  }
  if (parts.isWaiting(subject)) return { ...unknownProof(subject, 'task'), status: 'accepted' }
  // The ledger forgets a task some time after it has settled; its leaf can be proved for longer.
  const leaf = parts.outbox.leafOf(subject)
  if (leaf?.kind === 'result')
    return { ...unknownProof(subject, 'task'), ...pathOf(parts, leaf), status: 'settled' }
  const dropped = parts.history.reasonOf(subject)
  if (dropped) return { ...unknownProof(subject, 'task'), status: 'refused', reason: dropped }
  return transactionProof(parts, subject)
}

async function transactionProof(parts: OperatorParts, hash: Hex): Promise<ProofView> {
  const found = await parts.findTransaction(hash)
  const unknown = unknownProof(hash, 'transaction')
  if (!found) return unknown
  if (found.state === 'waiting') return { ...unknown, status: 'accepted' }
  if (found.state === 'ended') return { ...unknown, status: 'refused', reason: found.reason }
  const leaf = parts.outbox.leafOf(found.place.blockHash)
  const path = leaf ? pathOf(parts, leaf) : { status: 'confirmed' as const }
  return { ...unknown, ...path, transaction: found.place }
}

/** Leaf → root → L1, as far as it goes. */
function pathOf(parts: OperatorParts, leaf: Leaf): Partial<ProofView> & Pick<ProofView, 'status'> {
  const ledger = parts.ledger()
  const entry = checkpointOfLeaf(ledger, leaf.index)
  if (!entry) return { status: 'confirmed', leaf: toLeafView(leaf) }
  const { signature, recorded, checkpoint } = entry
  const executed = parts.outbox.executionOf(leaf.index)
  const isOnL1 = recorded !== undefined && (leaf.kind !== 'result' || executed !== undefined)
  const { l1ChainId: chainId, outbox } = ledger.constants.domain
  return {
    status: isOnL1 ? 'onL1' : 'certified',
    leaf: toLeafView(leaf),
    siblings: [...parts.outbox.prove(leaf.index, checkpoint.size)],
    checkpoint: {
      ...checkpoint,
      submitters: [...checkpoint.submitters],
      ...(signature ? { signature } : {}),
    },
    ...(recorded
      ? {
          l1: {
            chainId,
            outbox,
            transaction: recorded.transaction,
            block: recorded.block,
            ...(executed ? { executed } : {}),
          },
        }
      : {}),
  }
}

function newestCheckpoints(ledger: Ledger, limit: number): readonly CheckpointRecord[] {
  return [...ledger.checkpoints.values()]
    .sort((a, b) => b.checkpoint.index - a.checkpoint.index)
    .slice(0, limit)
}

const toCheckpointView = (entry: CheckpointRecord): CheckpointView => ({
  ...entry.checkpoint,
  submitters: [...entry.checkpoint.submitters],
  status: entry.status,
  cutMs: entry.cutMs,
  certifiedMs: entry.certifiedMs,
  ...(entry.signature ? { signature: entry.signature } : {}),
  ...(entry.recorded ? { l1: entry.recorded } : {}),
})

const toDeclarationView = ({
  capacity,
  costs,
  group,
}: Declaration): NonNullable<OperatorView['declared']> => ({
  capacity,
  costs: costs.map(({ service, cost }) => ({ service, cost: cost.toString() })),
  group,
})

const toOperatorView = (
  ledger: Ledger,
  operator: Operator,
  gateway: string | undefined,
): OperatorView => ({
  id: operator.id,
  name: operator.name,
  status: operator.status,
  power: operator.power.toString(),
  ledgerAddress: operator.ledgerAddress,
  consensusKey: operator.consensusKey,
  l1Account: operator.l1Account,
  sequence: operator.sequence,
  view: operator.view,
  missedWindows: operator.missedWindows,
  silentSessions: operator.silentSessions,
  ...(operator.declared ? { declared: toDeclarationView(operator.declared) } : {}),
  scores: [...ledger.services.values()]
    .filter(({ mode }) => mode === 'assigned')
    .map((spec) => {
      const { name } = spec
      const score = scoreOf(ledger, name, operator.id)
      const share = sharesOf(ledger, spec).get(operator.id) ?? 0
      return {
        service: name,
        timeliness: score.timeliness.toString(),
        agreement: score.agreement.toString(),
        latency: score.latency.toString(),
        trust: trustOf(score).toString(),
        share: (BigInt(share) * (oneWad / BigInt(micro))).toString(),
        drawn: score.drawn,
        late: score.late,
        missing: score.missing,
        outlying: score.outlying,
        upheld: score.upheld,
        refuted: score.refuted,
        earned: score.earned.toString(),
      }
    }),
  ...(gateway ? { gateway } : {}),
})
