import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { findComet, requireMempool } from './binary.ts'
import { cometMempools } from './config.ts'
import { cometVersion, versionIn } from './release.ts'

const base = mkdtempSync(join(tmpdir(), 'nodeop comet '))
after(() => rmSync(base, { recursive: true, force: true }))

/** What the Go linker writes, after `before` bytes of program. */
function built(modules: string, before = 16 * 7): Buffer {
  const text = (value: string) => {
    const bytes = Buffer.from(value)
    assert(bytes.length < 128 * 128)
    return Buffer.concat([Buffer.from([(bytes.length & 127) | 128, bytes.length >> 7]), bytes])
  }
  const header = Buffer.alloc(32)
  header.write('\xff Go buildinf:', 'latin1')
  header[14] = 8
  header[15] = 2
  return Buffer.concat([Buffer.alloc(before, 1), header, text('go1.26.8'), text(modules)])
}

const modulesOf = (version: string, name = 'github.com/cometbft/cometbft') =>
  `path\t${name}/cmd/cometbft\nmod\t${name}\t${version}\th1:abc=\ndep\tgithub.com/x/y\tv9.9.9\t`

/** A folder that holds a program with this content. */
function folderWith(name: string, content: Buffer): string {
  const folder = join(base, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'cometbft'), content)
  chmodSync(join(folder, 'cometbft'), 0o755)
  return folder
}

test('release: the version is that of the module, in whatever place the linker put it', () => {
  assert.equal(versionIn(built(modulesOf('v0.40.0'))), 'v0.40.0')
  // A program that reads build information holds the same magic elsewhere, out of line.
  const decoy = Buffer.concat([Buffer.alloc(5), Buffer.from('\xff Go buildinf:', 'latin1')])
  const padded = Buffer.concat([
    decoy,
    Buffer.alloc(32 - decoy.length),
    built(modulesOf('v0.38.25')),
  ])
  assert.equal(versionIn(padded), 'v0.38.25')
  assert.equal(versionIn(built(modulesOf('v1.0.0', 'github.com/other/program'))), undefined)
  for (const bytes of [Buffer.alloc(0), built(modulesOf('v0.40.0')).subarray(0, 150)])
    assert.equal(versionIn(bytes), undefined)
})

test('binary: the right release is found, in our tools first, and others are passed over', () => {
  const old = folderWith('old', built(modulesOf('v0.38.25')))
  const script = folderWith('script', Buffer.from('#!/bin/sh\n'))
  const right = folderWith('right', built(modulesOf(cometVersion)))
  const tools = folderWith('tools', built(modulesOf(cometVersion)))
  const path = [script, old, right].join(delimiter)
  const none = join(base, 'none')
  assert.deepEqual(findComet(path, undefined, none), {
    path: join(right, 'cometbft'),
    version: cometVersion,
  })
  assert.equal(findComet(path, undefined, tools).path, join(tools, 'cometbft'))
  const message =
    /v0\.40\.0 is not installed; found .*\(no CometBFT\), .*old.* of version v0\.38\.25; run: npm/
  const missing = { code: 'CometMissing', message }
  assert.throws(() => findComet([script, old].join(delimiter), undefined, none), missing)
})

test('binary: one that is named is taken when it is a release that we know', () => {
  const old = join(folderWith('named old', built(modulesOf('v0.38.25'))), 'cometbft')
  assert.equal(findComet('', old).version, 'v0.38.25')
  const other = join(folderWith('named other', built(modulesOf('v1.0.1'))), 'cometbft')
  const message = /of version v1\.0\.1 cannot be used; allowed: CometBFT v0\.40\.0 or v0\.38\.25/
  assert.throws(() => findComet('', other), { code: 'CometMissing', message })
  assert.throws(() => findComet('', join(base, 'absent')), { code: 'CometMissing' })
})

test('binary: a release without the application’s mempool says what to set', () => {
  const old = { path: '/opt/cometbft', version: 'v0.38.25' }
  requireMempool(old, 'flood')
  for (const mempool of cometMempools) requireMempool({ ...old, version: cometVersion }, mempool)
  assert.throws(() => requireMempool(old, 'app'), {
    code: 'CometMissing',
    message: /v0\.38\.25 has no app mempool: let cometbft\.mempool be flood$/,
  })
})
