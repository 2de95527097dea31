import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { afterCall, beforeStart, type Call, CallOutOfOrderError, checkCalls } from './grammar.ts'

const start = (height: number): Call => ({ call: 'start', height })
const initChain: Call = { call: 'initChain' }
const commit: Call = { call: 'commit' }
const prepare = (height: number): Call => ({ call: 'prepareProposal', height })
const judge = (height: number): Call => ({ call: 'processProposal', height })
const finalize = (height: number): Call => ({ call: 'finalizeBlock', height })

const firstBlocks = [start(0), initChain, prepare(1), judge(1), finalize(1), commit, finalize(2)]

test('grammar: a chain begins once, and each block is finalized and then committed', () => {
  assert.deepEqual(checkCalls(firstBlocks), { at: 'executed', height: 1 })
  assert.deepEqual(checkCalls([...firstBlocks, commit]), { at: 'between', height: 2 })
})

test('grammar: an engine may end after any call and start where the application stands', () => {
  for (let length = 0; length <= firstBlocks.length; length++) {
    const calls: readonly Call[] = firstBlocks.slice(0, length)
    const height = calls.filter(({ call }) => call === 'commit').length
    const begun: readonly Call[] = height === 0 ? [initChain] : []
    assert.deepEqual(
      checkCalls([...calls, start(height), ...begun, finalize(height + 1), commit]),
      { at: 'between', height: height + 1 },
      `after ${length} calls`,
    )
  }
})

test('grammar: what cannot follow is refused, and named', () => {
  const [untilInit, untilFinalize] = [firstBlocks.slice(0, 2), firstBlocks.slice(0, 5)]
  const wrong: readonly (readonly [readonly Call[], RegExp])[] = [
    [[finalize(1)], /finalizeBlock of height 1 is out of order: before the start/],
    [[start(0), prepare(1)], /prepareProposal of height 1 is out of order: fresh at 0/],
    [[start(3), initChain], /initChain is out of order: between at 3/],
    [[...untilInit, initChain], /initChain/],
    [[...untilInit, commit], /commit is out of order: between at 0/],
    [[...untilInit, finalize(2)], /finalizeBlock of height 2/],
    [[...untilInit, judge(2)], /processProposal of height 2/],
    [[...untilFinalize, finalize(1)], /finalizeBlock of height 1 is out of order: executed at 0/],
    [[...untilFinalize, prepare(2)], /prepareProposal/],
    [[...untilFinalize, commit, commit], /commit/],
    [[...untilFinalize, commit, finalize(1)], /finalizeBlock of height 1/],
  ]
  for (const [calls, message] of wrong) {
    assert.throws(() => checkCalls(calls), CallOutOfOrderError)
    assert.throws(() => checkCalls(calls), message)
  }
})

const anyCall = fc.oneof(
  fc.constantFrom(initChain, commit),
  fc.constantFrom(prepare, judge, finalize).chain((make) => fc.nat(3).map(make)),
)

test('grammar: whatever is called, heights are committed one by one and each after its block', () => {
  fc.assert(
    fc.property(fc.array(anyCall, { maxLength: 200 }), (calls) => {
      let state = afterCall(beforeStart, start(0))
      const taken: Call[] = []
      for (const call of calls)
        try {
          state = afterCall(state, call)
          taken.push(call)
        } catch (error) {
          assert(error instanceof CallOutOfOrderError)
        }
      const decided = taken.filter(({ call }) => call === 'finalizeBlock' || call === 'commit')
      const expected = decided.map((_, i) => (i % 2 === 0 ? finalize(i / 2 + 1) : commit))
      assert.deepEqual(decided, expected)
    }),
  )
})
