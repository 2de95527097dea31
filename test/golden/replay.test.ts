import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEnvironment, recover } from '#node'
import {
  appHash,
  beginBlock,
  endBlock,
  genesisLedger,
  type Ledger,
  operatorsOf,
  validatorUpdates,
  withChain,
} from '#protocol'
import { type DecidedBlock, tryDecodeTransaction } from '#records'
import { createEngine, createMemoryStore, sequencerComputation } from '#services/sequencer'
import { toOutcome } from '../support/outcome.ts'
import { offenceIn, readGoldenLog } from './log.ts'

const golden = readGoldenLog('devnet.json.gz')

/** The ledger at genesis, and what executes one more block on it. */
async function openReplay() {
  const { genesis } = golden
  const environment = createEnvironment(genesis)
  const state = genesis.services.find(({ spec }) => spec.name === 'sequencer')?.state
  assert(state, 'the golden network has a sequencer')
  const engine = await createEngine({ genesis: state, store: createMemoryStore(), recover })
  const compute = sequencerComputation(engine)
  const execute = async (ledger: Ledger, decided: DecidedBlock) => {
    const begun = beginBlock(ledger, decided, environment)
    const outputs = await Promise.all(begun.computations.map(({ input }) => compute(input)))
    return endBlock(begun, outputs, environment)
  }
  return { ledger: genesisLedger(genesis, environment), execute }
}

test(`golden log: the same outcome at every height on Node ${process.versions.node}`, async () => {
  const { ledger: first, execute } = await openReplay()
  let ledger = first
  for (const { decided, outcome } of golden.blocks) {
    const ended = await execute(ledger, decided)
    const executed = {
      appHash: appHash(ended.ledger),
      results: ended.results,
      validatorUpdates: validatorUpdates(ledger, ended.ledger),
    }
    assert.deepEqual(toOutcome(executed), outcome, `outcome of height ${decided.height}`)
    ledger = ended.ledger
  }
  assert(golden.blocks.length > 30, 'the log is long enough to mean something')
  assert(ledger.chain.landed.index > 0, 'checkpoints landed in it')
  assert([...ledger.endedTasks.values()].some(({ status }) => status === 'settled'))
  const jailed = operatorsOf(ledger).filter(({ status }) => status === 'jailed')
  assert.deepEqual(
    jailed.map(({ consensusKey }) => consensusKey),
    [offenceIn(golden).culprit],
  )
})

test('golden log: all kinds of blocks are in it, and a double vote with what follows from it', () => {
  const { blocks, validators } = golden
  const kinds = blocks.flatMap(({ decided }) =>
    decided.transactions.map((bytes) => tryDecodeTransaction(bytes)?.kind),
  )
  assert.deepEqual([...new Set(kinds)].sort(), [
    'call',
    'l1-events',
    'randomness',
    'report',
    'task',
  ])
  assert(blocks.some(({ decided }) => decided.transactions.length === 0))
  const { height, culprit } = offenceIn(golden)
  const deciding = (at: number) =>
    blocks[at - 1]?.stored.validators.members.map(({ consensusKey }) => consensusKey)
  const others = validators.map(({ consensusKey }) => consensusKey).filter((key) => key !== culprit)
  assert.equal(deciding(height + 1)?.length, validators.length)
  assert.deepEqual(deciding(height + 2), others.sort())
  const proposers = (from: number, to: number) =>
    new Set(blocks.slice(from - 1, to).map(({ decided }) => decided.proposer))
  assert.equal(proposers(1, height + 1).size, validators.length)
  assert.deepEqual(proposers(height + 2, blocks.length), new Set(others))
})

test('golden log: a ledger with another epoch has another app hash after the next block', async () => {
  const { ledger, execute } = await openReplay()
  const [block] = golden.blocks
  assert(block)
  const other = withChain(ledger, { epoch: ledger.chain.epoch + 1 })
  const ended = await execute(other, block.decided)
  assert.notEqual(appHash(ended.ledger), block.outcome.appHash)
})
