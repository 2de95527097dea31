import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEnvironment, recover } from '#node'
import { fromHex } from '#primitives'
import { appHash, beginBlock, endBlock, genesisLedger, type Ledger, withChain } from '#protocol'
import { decode, genesisCodec } from '#records'
import { createEngine, createMemoryStore, sequencerComputation } from '#services/sequencer'
import { type GoldenBlock, readGoldenLog } from './log.ts'

const golden = readGoldenLog('devnet.json.gz')

/** The ledger at genesis, and what executes one more block on it. */
async function openReplay() {
  const genesis = decode(genesisCodec, fromHex(golden.genesis))
  const environment = createEnvironment(genesis)
  const state = genesis.services.find(({ spec }) => spec.name === 'sequencer')?.state
  assert(state, 'the golden network has a sequencer')
  const engine = await createEngine({ genesis: state, store: createMemoryStore(), recover })
  const compute = sequencerComputation(engine)
  const execute = async (ledger: Ledger, { transactions, ...block }: GoldenBlock) => {
    const decided = {
      ...block,
      transactions: transactions.map((one) => fromHex(one)),
      misbehaviour: [],
    }
    const begun = beginBlock(ledger, decided, environment)
    const outputs = await Promise.all(begun.computations.map(({ input }) => compute(input)))
    return endBlock(begun, outputs, environment).ledger
  }
  return { ledger: genesisLedger(genesis, environment), execute }
}

test(`golden log: the same app hash at every height on Node ${process.versions.node}`, async () => {
  const { ledger: first, execute } = await openReplay()
  let ledger = first
  for (const block of golden.blocks) {
    ledger = await execute(ledger, block)
    assert.equal(appHash(ledger), block.appHash, `app hash at height ${block.height}`)
  }
  assert(golden.blocks.length > 20, 'the log is long enough to mean something')
  assert(ledger.chain.landed.index > 0, 'checkpoints landed in it')
  assert([...ledger.endedTasks.values()].some(({ status }) => status === 'settled'))
})

test('golden log: a ledger with another epoch has another app hash after the next block', async () => {
  const { ledger, execute } = await openReplay()
  const [block] = golden.blocks
  assert(block)
  const other = withChain(ledger, { epoch: ledger.chain.epoch + 1 })
  assert.notEqual(appHash(await execute(other, block)), block.appHash)
})
