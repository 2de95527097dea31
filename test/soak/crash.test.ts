// A few of the crashes and damages of `npm run soak -- crash`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { l2File, ledgerFile } from '#node'
import { type Damage, damageFiles } from './damage.ts'
import { crashAtSteps } from './steps.ts'

test('soak: an operator that loses its power again and again signs nothing twice, and catches up', async () => {
  const some = [
    { step: 12, when: 'before' },
    { step: 25, when: 'after' },
    { step: `commit ${l2File}`, when: 'after' },
    { step: `sync ${ledgerFile}`, when: 'before' },
    { step: `sync ${ledgerFile}`, when: 'after' },
  ] as const
  const report = await crashAtSteps(
    some.map((one) => ({ ...one, end: 'afterPowerCut' })),
    1,
  )
  assert.deepEqual(report.problems, [])
  assert.equal(report.crashes, 5)
  assert(report.places.includes('after commit lN.sqlite'))
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
