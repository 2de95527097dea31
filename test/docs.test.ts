import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { transactionTypes } from '#services/sequencer'
import { checkReasons, checkStructure } from './docs.ts'

const root = join(import.meta.dirname, '..')
const planted = mkdtempSync(join(tmpdir(), 'nodeop docs '))
after(() => rmSync(planted, { recursive: true }))

let projects = 0

/** A project with one room, its pages in order, and what is planted into it. */
function projectWith(files: Readonly<Record<string, string>>): string {
  const folder = join(planted, String(projects++))
  const all = {
    'docs/structure.md':
      '# S\n\n```\nsrc/\n  room/      a room\n    a.ts     says why\ndocs/        pages\n```\n',
    'docs/reasons.md': '| code |\n|---|\n| `TooLate` | x | y |\n',
    'src/room/a.ts': "export const a = { ok: false, reason: 'TooLate' }\n",
    ...files,
  }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

const missingCode = (text: string) => checkReasons(projectWith({ 'src/room/b.ts': text }))

test('structure: the page shows every folder, and nothing that is not there', () => {
  assert.deepEqual(checkStructure(root), [])
})

test('reasons: the page explains every code, and nothing that is not said', () => {
  assert.deepEqual(checkReasons(root), [])
})

/** The numbers of transaction types that a line of a page lists, without what it says of each. */
function typesListed(page: string, line: RegExp): number[] {
  const [, list] = line.exec(readFileSync(join(root, page), 'utf8')) ?? []
  return (
    (list ?? '')
      .replace(/\([^)]*\)/g, '')
      .match(/\d+/g)
      ?.map(Number) ?? []
  )
}

test('types of transaction: the pages list those that the sequencer takes', () => {
  const guide = typesListed('docs/guides/json-rpc.md', /eth_sendRawTransaction` \| types ([^;]+);/)
  const reasons = typesListed('docs/reasons.md', /UnsupportedTransactionType.*Use type ([^.]+)\./)
  assert.deepEqual([guide, reasons], [[...transactionTypes], [...transactionTypes]])
})

test('structure, reasons: pages in order have no problem', () => {
  const folder = projectWith({})
  assert.deepEqual([...checkStructure(folder), ...checkReasons(folder)], [])
})

test('structure: a folder that the page lacks is found, at any depth', () => {
  const found = checkStructure(projectWith({ 'src/room/deep/b.ts': '', 'tools/c.ts': '' }))
  assert.deepEqual(found, [
    'docs/structure.md lacks src/room/deep/',
    'docs/structure.md lacks tools/',
  ])
})

test('structure: what the page shows and is gone is found', () => {
  const page = '```\nsrc/      code\n  room/   a room\n    gone.ts\n  attic/  old\ndocs/\n```\n'
  assert.deepEqual(checkStructure(projectWith({ 'docs/structure.md': page })), [
    'docs/structure.md shows src/attic/, which is not there',
    'docs/structure.md shows src/room/gone.ts, which is not there',
  ])
})

test('reasons: each way to say a code is found', () => {
  const ways = [
    "f({ ok: false, reason: 'Missing' })",
    "f({ reason: late ? 'TooLate' : 'Missing' })",
    "f({ reason: given ?? 'Missing' })",
    "type R = { reason: 'TooLate' | 'Missing' }",
    "type DropReason = 'TooLate' | 'Missing'",
    "refuse('Missing')",
    "refused('Missing', 'with words')",
    "class E extends Error { override readonly code = 'Missing' }",
  ]
  for (const way of ways)
    assert.deepEqual(missingCode(way), ['docs/reasons.md lacks Missing (src/room/b.ts)'], way)
  assert.deepEqual(missingCode("const f = () => { return 'MissingOne' }"), [
    'docs/reasons.md lacks MissingOne (src/room/b.ts)',
  ])
})

test('reasons: comparing with a code does not say it', () => {
  assert.deepEqual(missingCode("if (reason === 'MissingOne') f()"), [])
})

test('reasons: a code that nothing says any more is found, and one that stands twice', () => {
  const page = '| `TooLate` | x | y |\n| `TooLate` | x | y |\n| `Gone` | x | y |\n'
  assert.deepEqual(checkReasons(projectWith({ 'docs/reasons.md': page })), [
    'docs/reasons.md explains Gone, which nothing says',
    'docs/reasons.md explains TooLate twice',
  ])
})
