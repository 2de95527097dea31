import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'

const program = `
import { endWhenTold, toBeEnded } from ${JSON.stringify(join(import.meta.dirname, 'ending.ts'))}
const end = (name) => async () => console.log('ended', name)
const endFirst = toBeEnded(end('first'))
toBeEnded(end('second'))
toBeEnded(() => Promise.reject(new Error('it cannot')))
await endFirst()
await endFirst()
endWhenTold()
setInterval(() => {}, 1_000)
console.log('open')
`

test('soak: told to stop, it ends what is still open, once, and then itself', async (t) => {
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (text.includes('open')) child.kill('SIGTERM')
  })
  const [code] = await once(child, 'close')
  assert.equal(output, 'ended first\nopen\nended second\n')
  assert.equal(code, 143)
})
