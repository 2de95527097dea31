// The recorded block log of one engine, decided once more by the other: CometBFT's socket, and the
// operators' own application behind it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { checkCalls, serveApplication } from '#consensus'
import { createEnvironment, LedgerApplication, Mempool, recover } from '#node'
import { fromHex, type Hex } from '#primitives'
import { decode, genesisCodec, networkId, type Validator } from '#records'
import { createEngine, createMemoryStore, sequencerComputation } from '#services/sequencer'
import { emptyLog, recordCalls } from '../support/call-recorder.ts'
import { CometDriver } from '../support/comet-driver.ts'
import { silentLogger } from '../support/manual-clock.ts'
import { type GoldenBlock, readGoldenLog } from './log.ts'

const golden = readGoldenLog('devnet.json.gz')
const genesis = decode(genesisCodec, fromHex(golden.genesis))

/** An operator's application at the golden network's genesis. */
async function openApplication(): Promise<LedgerApplication> {
  const environment = createEnvironment(genesis)
  const state = genesis.services.find(({ spec }) => spec.name === 'sequencer')?.state
  assert(state, 'the golden network has a sequencer')
  const l2 = await createEngine({ genesis: state, store: createMemoryStore(), recover })
  const compute = sequencerComputation(l2)
  const nowMs = () => genesis.timeMs
  return new LedgerApplication({
    ...{ genesis, environment, nowMs, logger: silentLogger },
    compute: ({ input }) => compute(input),
    mempool: new Mempool({ environment, pools: new Map(), nowMs, onDropped: () => {} }),
    prove: () => assert.fail('nothing is proposed'),
    keep: () => {},
  })
}

/** A CometBFT before its first block, connected to an application. */
async function connect(t: TestContext, application: LedgerApplication) {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop golden '))
  t.after(() => rmSync(folder, { recursive: true }))
  const chain = { networkId: networkId(genesis), appVersion: 1 }
  const log = emptyLog()
  const server = await serveApplication({
    ...{ application: recordCalls(application, log), chain, mempool: 'app', logger: silentLogger },
    listen: { path: join(folder, 'abci.sock') },
    onFailure: (error) => assert.fail(String(error)),
  })
  t.after(() => server.close())
  const { validators } = await application.initChain()
  const start = async () => {
    log.calls.push({ call: 'start', height: application.height })
    const comet = await CometDriver.connect(server.address)
    return { comet, info: await comet.handshake({ chain, validators }) }
  }
  return { start, log, validators }
}

const toDecided = ({ transactions, appHash: _, ...block }: GoldenBlock) => ({
  ...block,
  transactions: transactions.map((one) => fromHex(one)),
  misbehaviour: [],
})

test('golden log over ABCI: the same app hash at every height, and what is empty changes nothing', async (t) => {
  const application = await openApplication()
  const { start, log, validators } = await connect(t, application)
  let { comet, info } = await start()
  let appHash: Hex = info.appHash
  const changed: Validator[] = []
  for (const block of golden.blocks) {
    const before = application.ledger
    if (block.height % 10 === 0) {
      // CometBFT dies after it has handed a block over, and hands it over again.
      await comet.finalize(toDecided(block))
      await comet.kill()
      ;({ comet, info } = await start())
      assert.deepEqual(info, { height: block.height - 1, appHash })
    }
    assert.equal(await comet.judge(toDecided(block)), 1, `proposal ${block.height} is good`)
    const outcome = await comet.finalize(toDecided(block))
    assert.equal(outcome.appHash, block.appHash, `app hash at height ${block.height}`)
    assert.equal(outcome.codes.length, block.transactions.length)
    await comet.commit()
    changed.push(...outcome.updates)
    if (block.transactions.length === 0) {
      assert.equal(outcome.appHash, appHash, `block ${block.height} is empty`)
      assert.equal(application.ledger, before)
    }
    appHash = outcome.appHash
  }
  checkCalls(log.calls)
  assert(golden.blocks.some(({ transactions }) => transactions.length === 0))
  const keys = new Set(validators.map(({ consensusKey }) => consensusKey))
  assert(changed.every(({ consensusKey }) => keys.has(consensusKey)))
})

test('golden log over ABCI: who is proven to have voted twice loses its power', async (t) => {
  const application = await openApplication()
  const { start, validators } = await connect(t, application)
  const { comet } = await start()
  const [block] = golden.blocks
  const [culprit] = validators
  assert(block && culprit)
  const offence = { consensusKey: culprit.consensusKey, height: 1 }
  const { updates, appHash } = await comet.finalize({
    ...toDecided(block),
    misbehaviour: [offence],
  })
  assert.deepEqual(updates, [{ ...culprit, power: 0n }])
  assert.notEqual(appHash, block.appHash)
  await comet.commit()
  assert.deepEqual(
    [...application.consensusKeys()],
    validators.map(({ consensusKey }) => consensusKey),
  )
})
