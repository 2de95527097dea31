import assert from 'node:assert/strict'
import os from 'node:os'
import { test } from 'node:test'
import { giveWay } from './give-way.ts'

/** Where a thread of this priority is afterwards, under a system that lets none have some back. */
function priorityAfter(platform: string, priority: number): number {
  let now = priority
  giveWay({
    platform: () => platform,
    getPriority: () => now,
    setPriority: (wanted) => {
      assert(wanted >= now, 'only who may do anything may have priority back')
      now = wanted
    },
  })
  return now
}

test('give way: a thread goes behind those of ordinary priority, and of any above', () => {
  for (const before of [-20, 0, 5, 9])
    assert.equal(priorityAfter('linux', before), os.constants.priority.PRIORITY_BELOW_NORMAL)
})

test('give way: one that has given up as much or more stays where it is', () => {
  for (const before of [10, 15, 19]) assert.equal(priorityAfter('linux', before), before)
})

test('give way: where the priority is the whole process’s, it stays what it is', () => {
  for (const platform of ['darwin', 'win32']) assert.equal(priorityAfter(platform, 0), 0)
})
