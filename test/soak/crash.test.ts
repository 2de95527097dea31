// A few of the crashes and damages of `npm run soak -- crash`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Damage, damageFiles } from './damage.ts'
import { crashAtSteps, crashesUpTo } from './steps.ts'

test('soak: an operator that loses its power again and again signs nothing twice, and catches up', async () => {
  const some = crashesUpTo(26).filter(
    ({ step, end }) => step % 13 === 12 && end === 'afterPowerCut',
  )
  const report = await crashAtSteps(some, 1)
  assert.deepEqual(report.problems, [])
  assert.equal(report.crashes, 4)
  assert(report.signed.vote > 0 && report.signed.report > 0)
})

test('soak: damaged files are recovered from, or refused by name; no state is silently wrong', async () => {
  const damages: readonly Damage[] = [
    { file: 'blocks.log', place: 'middle', kind: 'flip' },
    { file: 'consensus.log', place: 'header', kind: 'flip' },
    { file: 'guard.log', place: 'middle', kind: 'flip' },
    { file: 'guard.log', place: 'last byte', kind: 'cut' },
    { file: 'l2.sqlite', place: 'first byte', kind: 'flip' },
    { file: 'l2.sqlite', place: 'first byte', kind: 'cut' },
  ]
  const report = await damageFiles(1, damages)
  assert.deepEqual(report.problems, [])
  assert.deepEqual(report.refusals, {
    'blocks.log': ['StoreBehind'],
    'consensus.log': ['CorruptFile'],
    'guard.log': ['CorruptFile'],
    'l2.sqlite': ['EngineFailed'],
  })
  assert.equal(report.recovered + report.refused, report.damages)
})
