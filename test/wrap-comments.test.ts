import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wrapComments } from '../tools/wrap-comments.ts'

const words = (count: number): string => Array.from({ length: count }, () => 'words').join(' ')

test('wrap comments: what fits stays as it is', () => {
  const text = `// short\nconst a = 1 // ${words(30)}\nconst b = '${words(30)}'\n/** One. */\n`
  assert.equal(wrapComments(text), text)
})

test('wrap comments: a wide docstring becomes a block, at its indentation', () => {
  assert.equal(
    wrapComments(`  /** ${words(20)} */\n  a(): void\n`),
    `  /**\n   * ${words(16)}\n   * ${words(4)}\n   */\n  a(): void\n`,
  )
})

test('wrap comments: a paragraph flows on, and ends at a tag, an item or an empty line', () => {
  const text = `/**\n * ${words(17)}\n * and more\n *\n * - item\n * @param a - its meaning\n */\n`
  const flowed = `/**\n * ${words(16)}\n * words and more\n *\n * - item\n * @param a - its meaning\n */\n`
  assert.equal(wrapComments(text), flowed)
})

test('wrap comments: once wrapped, nothing more changes', () => {
  const once = wrapComments(`// ${words(50)}\n// ${words(3)}\nf()\n`)
  assert.ok(once.split('\n').every(({ length }) => length <= 100))
  assert.equal(wrapComments(once), once)
})
