import {
  assert,
  emptyTable,
  type Hex,
  sha256Hex,
  type Table,
  type TableCodec,
  utf8,
  type Wei,
} from '#primitives'
import {
  byteList,
  type Codec,
  checkpointRecordCodec,
  decode,
  emptyL1Digest,
  encode,
  type Genesis,
  type GenesisOperator,
  leafCodec,
  networkId,
  type Operator,
  operatorCodec,
  serviceSpecCodec,
  sessionCodec,
  taskCodec,
  uint256,
} from '#records'
import type { Chain } from './chain.ts'
import {
  competitionCodec,
  deliveryCodec,
  noncePoolCodec,
  scheduledCodec,
  scoreCodec,
  turnsCodec,
} from './codecs.ts'
import type { Environment } from './environment.ts'
import { checkGenesis } from './genesis-checks.ts'
import type { Ledger } from './ledger.ts'
import { serviceState, withServiceState } from './service-state.ts'

/** Most bytes in one value of a replicated service's state. */
const maxStateBytes = 1024 * 1024

const empty = <T>(codec: Codec<T>): Table<T> =>
  emptyTable({
    encode: (value: T) => encode(codec, value),
    decode: (bytes) => decode(codec, bytes),
  })

/** Codec of every table, by name: what a stored ledger is read with. */
export const emptyTables = () => ({
  operators: empty(operatorCodec),
  services: empty(serviceSpecCodec),
  states: emptyTable(stateCodec),
  accounts: empty(uint256<Wei>()),
  tasks: empty(taskCodec),
  endedTasks: empty(taskCodec),
  audits: empty(taskCodec),
  leaves: empty(leafCodec),
  deliveries: empty(deliveryCodec),
  checkpoints: empty(checkpointRecordCodec),
  sessions: empty(sessionCodec),
  nonces: empty(noncePoolCodec),
  scores: empty(scoreCodec),
  competitions: empty(competitionCodec),
  turns: empty(turnsCodec),
  parameters: empty(uint256()),
  votes: empty(uint256()),
  scheduled: empty(scheduledCodec),
})

const stateBytes = byteList(maxStateBytes)

/**
 * Bytes as they are, which is what SSZ makes of them: copied, since their owner may change them.
 */
const stateCodec: TableCodec<Uint8Array> = {
  encode: (value) => {
    assert(value.length <= maxStateBytes, `at most ${maxStateBytes} bytes`)
    return new Uint8Array(value)
  },
  decode: (bytes) => decode(stateBytes, bytes),
}

/**
 * The ledger before the first block.
 *
 * @throws GenesisError when no network can run on it; the message names the field.
 */
export function genesisLedger(genesis: Genesis, environment: Environment): Ledger {
  checkGenesis(genesis, environment)
  const network = networkId(genesis)
  const bare: Ledger = {
    constants: {
      network,
      domain: { l1ChainId: genesis.l1ChainId, outbox: genesis.outbox },
      groupKey: genesis.groupKey,
      threshold: genesis.threshold,
      power: genesis.operators.reduce((sum, { power }) => sum + power, 0n),
    },
    chain: initialChain(genesis, network),
    ...emptyTables(),
  }
  const peopled: Ledger = {
    ...bare,
    operators: genesis.operators.reduce(
      (table, operator) => table.set(String(operator.id), initialOperator(operator)),
      bare.operators,
    ),
    accounts: genesis.accounts.reduce(
      (table, { account, balance }) => table.set(account, balance),
      bare.accounts,
    ),
    parameters: genesis.parameters.reduce(
      (table, { name, value }) => table.set(name, value),
      bare.parameters,
    ),
  }
  return genesis.services.reduce(
    (ledger, service) => admitService(ledger, service, environment),
    peopled,
  )
}

const initialChain = (genesis: Genesis, network: Hex): Chain => ({
  mix: sha256Hex(utf8('NodeOP randomness'), utf8(network)),
  l1: { block: genesis.l1StartBlock, events: 0, digest: emptyL1Digest },
  outboxSize: 0,
  outboxPeaks: [],
  cutIndex: 0,
  cutSize: 0,
  cutMs: genesis.timeMs,
  windows: undefined,
  landed: { index: 0, size: 0 },
  epoch: 0,
  epochEndsMs: genesis.timeMs,
  frozenEpoch: 0,
  pool: 0n as Wei,
  supply: genesis.accounts.reduce((sum, { balance }) => sum + balance, 0n) as Wei,
})

const initialOperator = (operator: GenesisOperator): Operator => ({
  ...operator,
  status: 'active',
  declared: undefined,
  sequence: 0,
  instance: `0x${'00'.repeat(32)}`,
  view: { block: 0, events: 0, digest: emptyL1Digest, fork: false },
  missedWindows: 0,
  silentSessions: 0,
})

function admitService(
  ledger: Ledger,
  { spec, state }: Genesis['services'][number],
  environment: Environment,
): Ledger {
  const service = environment.services.get(spec.name)
  const known = { ...ledger, services: ledger.services.set(spec.name, spec) }
  return service && 'initial' in service
    ? withServiceState(known, service.initial(serviceState(known, spec.name), state))
    : known
}
