// The specification of consensus in docs/spec is run, and the core is given its traces.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { apply, paperLines } from '#consensus'
import { type Column, coverageTable } from './coverage.ts'
import { type Trace, tell, walk } from './quint.ts'
import { type Apply, type Powers, replay, type Visit } from './replay.ts'

const equal: Powers = { n1: 1n, n2: 1n, n3: 1n, n4: 1n }
const unequal: Powers = { n1: 3n, n2: 3n, n3: 2n, n4: 2n }

// Quint takes seconds to start: everything that it does is begun at once.
const equals = walk({ network: 'equals', seed: 2, traces: 16, steps: 100 })
const weighted = walk({ network: 'weighted', seed: 2, traces: 16, steps: 100 })
const stories = tell('locks')
const fork = tell('withoutLocks')
for (const made of [equals, weighted, stories, fork]) made.catch(() => undefined)

/** Half of the traces decide the first height, half the second. */
const replayAll = (traces: readonly Trace[], powers: Powers, step?: Apply): readonly Visit[] =>
  traces.flatMap((trace, index) => replay(trace, powers, 1 + (index % 2), step))

const columns = async (): Promise<readonly Column[]> => [
  { name: 'equals', visits: replayAll(await equals, equal) },
  { name: 'weighted', visits: replayAll(await weighted, unequal) },
  { name: 'stories', visits: replayAll(await stories, equal) },
]

test('walks: the invariants hold, and the core does and knows the same at every step', async () => {
  assert.equal(replayAll(await equals, equal).length, 1_600)
  assert.equal(replayAll(await weighted, unequal).length, 1_600)
})

test('stories: the older polka frees nobody, the newer one does, for the core too', async () => {
  assert(replayAll(await stories, equal).length > 100)
})

test('control: the trace of a specification without locks is not one of the core', async () => {
  const [trace] = await fork
  assert(trace)
  const decided = trace.flatMap(({ outputs }) => outputs as readonly { tag: string }[])
  assert.equal(decided.filter(({ tag }) => tag === 'Decide').length, 2)
  assert.throws(() => replay(trace, equal, 1), /Judgement of n3: outputs/)
})

const broken: Readonly<Record<string, Apply>> = {
  'forgets its lock': (state, input) =>
    apply(
      { ...state, machine: { ...state.machine, lockedValue: undefined, lockedRound: -1 } },
      input,
    ),
  'forgets the valid value': (state, input) =>
    apply(
      { ...state, machine: { ...state.machine, validValue: undefined, validRound: -1 } },
      input,
    ),
  'keeps only the first of two conflicting votes': (state, input) => {
    const next = apply(state, input)
    return next.outputs.some(({ type }) => type === 'evidence')
      ? { ...next, state: { ...next.state, rounds: state.rounds } }
      : next
  },
  'says nothing of conflicting votes': (state, input) => {
    const next = apply(state, input)
    return { ...next, outputs: next.outputs.filter(({ type }) => type !== 'evidence') }
  },
  'takes an old timer for one of its round': (state, input) => {
    const { round } = state.machine
    if (input.type !== 'timeout') return apply(state, input)
    return apply(state, { type: 'timeout', timeout: { ...input.timeout, round } })
  },
  'finds every block valid': (state, input) =>
    apply(state, input.type === 'validity' ? { ...input, validity: 'valid' } : input),
  'runs its rules again in the same round': (state, input) =>
    apply({ ...state, fired: { ...state.fired, polkaAny: false } }, input),
}

for (const [fault, step] of Object.entries(broken))
  test(`control: a core that ${fault} is found out`, async () => {
    const all = [...(await equals), ...(await stories)]
    assert.throws(() => replayAll(all, equal, step), assert.AssertionError)
  })

test('traces: they run every line of the paper', async () => {
  const seen = new Set((await columns()).flatMap(({ visits }) => visits.flatMap((v) => v.lines)))
  assert.deepEqual(
    paperLines.filter((line) => !seen.has(line)),
    [],
  )
})

test('traces: docs/spec/README.md says how often they run which part', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/spec/README.md'), 'utf8')
  const table = coverageTable(await columns())
  assert(page.includes(table), `the table is now:\n${table}`)
})
