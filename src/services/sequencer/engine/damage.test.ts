// A bit flips in the L2's files, or their end is missing: the chain is a prefix of what was, or the
// engine says what is wrong; it never tells something else.
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { DomainError, type Hex } from '#primitives'
import { readL2Genesis } from '../state/genesis.ts'
import { addressOf, bytesOf, contextAt, testGenesis, transfer } from '../test-support/chain.ts'
import { nativeRecover } from '../test-support/native-recover.ts'
import { createEngine } from './engine.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { Engine } from './types.ts'

const base = mkdtempSync(join(tmpdir(), 'nodeop-l2-damage-'))
after(() => rmSync(base, { recursive: true }))

const genesis = testGenesis()
const blocks = 5
const sound = join(base, 'sound.sqlite')
/** The same in one file, as a process that stops leaves it. */
const closed = join(base, 'closed.sqlite')
const spoilt = join(base, 'spoilt.sqlite')
const people = [0, 1].map(addressOf)

const open = (file: string): Promise<Engine> =>
  createEngine({
    genesis,
    store: openSqliteStore({ file, durable: true }),
    recover: nativeRecover,
  })

/** What an engine tells of its chain, up to its head. */
async function tale(engine: Engine): Promise<readonly string[]> {
  const { header } = await engine.head()
  const told: string[] = []
  for (let number = 0; number <= header.number; number++) {
    const ref = { by: 'number', number } as const
    const block = await engine.block(ref)
    const receipts = block && (await engine.receipts(block.hash))
    const accounts = await Promise.all(people.map((one) => engine.account(one, ref)))
    told.push(JSON.stringify([block, receipts, accounts], (_, value) => plain(value)))
  }
  return told
}

const plain = (value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

/** Executes some blocks, and copies the files: while they are open, the log holds the last ones. */
async function live(): Promise<readonly string[]> {
  const file = join(base, 'live.sqlite')
  const engine = await open(file)
  let parent: Hex = readL2Genesis(genesis).hash
  for (let height = 1; height <= blocks; height++) {
    const sent = await transfer(0, height - 1, 1)
    const { block } = await engine.execute(height, contextAt(height, parent), [bytesOf(sent)])
    parent = block?.hash ?? assert.fail()
  }
  for (const suffix of ['', '-wal']) copyFileSync(`${file}${suffix}`, `${sound}${suffix}`)
  const told = await tale(engine)
  await engine.close()
  copyFileSync(file, closed)
  return told
}

/** @returns the code of a refusal, or undefined when what is told is a prefix of the truth. */
async function judge(truth: readonly string[], name: string): Promise<string | undefined> {
  let engine: Engine | undefined
  try {
    engine = await open(spoilt)
    const told = await tale(engine)
    assert.deepEqual(told, truth.slice(0, told.length), name)
    return undefined
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    if (error.code === 'EngineStore') assert.match(error.message, /spoilt\.sqlite/)
    return error.code
  } finally {
    await engine?.close()
  }
}

const truth = await live()

for (const [suffix, kind] of [
  ['', 'flip'],
  ['', 'cut'],
  ['-wal', 'flip'],
  ['-wal', 'cut'],
] as const)
  test(`damage: a ${kind} anywhere in l2.sqlite${suffix} tells no other chain`, async () => {
    const codes = new Map<string | undefined, number>()
    const from = suffix === '' ? closed : sound
    const { length } = readFileSync(`${from}${suffix}`)
    for (let offset = 0; offset < length; offset += Math.ceil(length / 24)) {
      for (const one of ['-wal', '-shm']) rmSync(`${spoilt}${one}`, { force: true })
      copyFileSync(from, spoilt)
      if (suffix !== '') copyFileSync(`${from}${suffix}`, `${spoilt}${suffix}`)
      const bytes = readFileSync(`${spoilt}${suffix}`)
      bytes[offset] = (bytes[offset] ?? 0) ^ 4
      writeFileSync(`${spoilt}${suffix}`, kind === 'cut' ? bytes.subarray(0, offset) : bytes)
      const code = await judge(truth, `${kind} at ${offset}`)
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    assert.equal(truth.length, blocks + 1)
    assert(codes.size > 0)
  })
