// A few of the crashes and damages of `npm run soak -- crash`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Damage, damageFiles } from './damage.ts'
import { crashAtSteps, crashesUpTo } from './steps.ts'

test('soak: an operator that loses its power again and again signs nothing twice, and catches up', async () => {
  const inWork = crashesUpTo(40).filter(({ step }) => step === 12 || step === 25 || step === 39)
  const report = await crashAtSteps(inWork, 1)
  assert.deepEqual(report.problems, [])
  assert.equal(report.crashes, 12)
  assert(report.signed.vote > 0 && report.signed.report > 0)
  assert(report.places.some((place) => place.includes('sync')))
})

test('soak: damaged files are recovered from, or refused by name; no state is silently wrong', async () => {
  const damages: readonly Damage[] = [
    { file: 'blocks.log', place: 'middle', kind: 'flip' },
    { file: 'blocks.log', place: 'last record', kind: 'cut' },
    { file: 'consensus.log', place: 'header', kind: 'flip' },
    { file: 'guard.log', place: 'middle', kind: 'flip' },
    { file: 'guard.log', place: 'last byte', kind: 'cut' },
    { file: 'l2.sqlite', place: 'first byte', kind: 'flip' },
    { file: 'l2.sqlite', place: 'first byte', kind: 'cut' },
  ]
  const report = await damageFiles(1, damages)
  assert.deepEqual(report.problems, [])
  assert.deepEqual(report.refusals, {
    'consensus.log': ['CorruptFile'],
    'guard.log': ['CorruptFile'],
    'l2.sqlite': ['EngineFailed'],
  })
  assert.equal(report.recovered + report.refused, report.damages)
})
