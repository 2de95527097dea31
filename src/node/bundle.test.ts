import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { restoreBundle, saveBundle } from './bundle.ts'
import { restoredFile, restoredText } from './guard/guard.ts'
import { lockFolder } from './guard/lock.ts'

const base = mkdtempSync(join(tmpdir(), 'nodeop-bundle-'))
after(() => rmSync(base, { recursive: true }))

const secret = 'the secret that a backup must not show'
const folder = join(base, 'data')
mkdirSync(join(folder, 'operator-1/deep'), { recursive: true })
writeFileSync(join(folder, 'devnet.keys'), secret)
writeFileSync(join(folder, 'operator-1/deep/empty'), '')
writeFileSync(join(folder, 'operator-1/guard.log'), 'what was signed')
mkdirSync(join(folder, 'operator-2'))
writeFileSync(join(folder, 'operator-2/operator.keys'), 'keys that have signed nothing yet')
writeFileSync(join(folder, 'operator-1/blocks.log'), new Uint8Array(2_500_000).fill(7))
const bundle = join(base, 'backup')
await saveBundle(folder, bundle, 'correct horse')

const contentOf = (of: string) =>
  readdirSync(of, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('operator.lock'))
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => [path.slice(of.length), readFileSync(path)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))

test('bundle: a folder comes back as it was, and shows nothing meanwhile', async () => {
  assert.equal(statSync(bundle).mode & 0o777, 0o600)
  assert(!readFileSync(bundle).includes(secret))
  const restored = join(base, 'restored')
  assert.equal(await restoreBundle(bundle, restored, 'correct horse'), 5)
  for (const operator of ['operator-1', 'operator-2']) {
    const mark = join(restored, operator, restoredFile)
    assert.equal(readFileSync(mark, 'utf8'), restoredText)
    rmSync(mark)
  }
  assert.deepEqual(contentOf(restored), contentOf(folder))
})

test('bundle: another passphrase, a flipped byte and a missing one leave no folder', async () => {
  const whole = readFileSync(bundle)
  const spoilt = join(base, 'spoilt')
  const target = join(base, 'never/made')
  const refuses = async (bytes: Uint8Array, passphrase: string, code: string) => {
    writeFileSync(spoilt, bytes)
    await assert.rejects(restoreBundle(spoilt, target, passphrase), { code })
    assert.deepEqual(
      readdirSync(base).filter((name) => name.startsWith('never')),
      [],
    )
  }
  await refuses(whole, 'wrong horse', 'WrongPassphrase')
  for (const place of [20, 1_000_000]) {
    const flipped = Uint8Array.from(whole)
    flipped[place] = (flipped[place] ?? 0) ^ 1
    await refuses(flipped, 'correct horse', 'WrongPassphrase')
  }
  await refuses(whole.subarray(0, -1), 'correct horse', 'WrongPassphrase')
  await refuses(whole.subarray(0, 10), 'correct horse', 'NoBundle')
})

test('bundle: nothing is written over, and a folder in use is left alone', async () => {
  await assert.rejects(saveBundle(folder, bundle, 'x'), { code: 'BundleExists' })
  await assert.rejects(restoreBundle(bundle, folder, 'correct horse'), { code: 'BundleExists' })
  const lock = lockFolder(folder)
  const target = join(base, 'other')
  await assert.rejects(saveBundle(folder, target, 'x'), { code: 'FolderInUse' })
  lock.release()
  assert(!existsSync(target))
})

test('bundle: no folder takes its own backup, by whatever name it is called', async () => {
  const link = join(base, 'link')
  symlinkSync(folder, link)
  const before = contentOf(folder)
  const inside = { code: 'BundleInside', message: /lies in .*: name a file elsewhere$/ }
  for (const place of [folder, join(folder, 'operator-1'), link])
    await assert.rejects(saveBundle(folder, join(place, 'backup'), 'correct horse'), inside)
  await assert.rejects(saveBundle(link, join(folder, 'backup'), 'correct horse'), inside)
  assert.deepEqual(contentOf(folder), before)
  await saveBundle(folder, `${folder}.backup`, 'correct horse')
})

test('bundle: what a person has beside the target is left alone', async () => {
  const target = join(base, 'mine')
  const [drafts, letter] = [`${target}.restoring`, join(`${target}.restoring`, 'letter')]
  mkdirSync(drafts)
  writeFileSync(letter, 'of a person')
  await assert.rejects(restoreBundle(bundle, target, 'wrong horse'), { code: 'WrongPassphrase' })
  await restoreBundle(bundle, target, 'correct horse')
  writeFileSync(`${target}.backup.new`, 'of a person')
  await saveBundle(target, `${target}.backup`, 'correct horse')
  assert.equal(readFileSync(letter, 'utf8'), 'of a person')
  assert.equal(readFileSync(`${target}.backup.new`, 'utf8'), 'of a person')
})

test('bundle: an empty folder is taken, and missing ones above are made for their owner', async () => {
  const [empty, deep] = [join(base, 'empty'), join(base, 'above/deep')]
  mkdirSync(empty)
  for (const target of [empty, deep])
    assert.equal(await restoreBundle(bundle, target, 'correct horse'), 5)
  assert.equal(statSync(join(base, 'above')).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(join(base, 'above')), ['deep'])
})

test('bundle: a target or source that cannot be one is named', async () => {
  const file = join(base, 'letter')
  writeFileSync(file, 'of a person')
  const restores = (to: string, from = bundle) => restoreBundle(from, to, 'correct horse')
  await assert.rejects(restores(file), { code: 'BundleExists' })
  assert.equal(readFileSync(file, 'utf8'), 'of a person')
  await assert.rejects(restores(join(file, 'below')), { code: 'DiskFailed' })
  await assert.rejects(restores(join(base, 'new'), folder), { code: 'NoBundle' })
  if (existsSync('/proc/self'))
    await assert.rejects(restores('/proc/nodeop/x'), { code: 'DiskFailed' })
  const missing = join(base, 'nosuch')
  await assert.rejects(saveBundle(missing, join(base, 'other'), 'x'), ({ code, message }) => {
    assert.equal(code, 'DiskFailed')
    return message.startsWith(`${missing} cannot be used`)
  })
})
