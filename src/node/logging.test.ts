import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HexError } from '#primitives'
import { createLogger, type LogLevel } from './logging.ts'

/** A logger and the lines that it wrote, parsed. */
function recorded(level: LogLevel) {
  const lines: Record<string, unknown>[] = []
  const write = (line: string) => void lines.push(JSON.parse(line))
  return { log: createLogger(level, { operator: 3 }, { write }), lines }
}

test('log: a line holds level, time, the common fields and its own', () => {
  const { log, lines } = recorded('info')
  log.info('committed', { height: 7, wei: 2n ** 70n, key: Uint8Array.of(1, 2) })
  const [line] = lines
  assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual(
    { ...line, time: undefined },
    {
      level: 'info',
      time: undefined,
      operator: 3,
      height: 7,
      wei: '1180591620717411303424',
      key: '0x0102',
      msg: 'committed',
    },
  )
})

test('log: what is below the level is not written', () => {
  const { log, lines } = recorded('warn')
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['c', 'd'],
  )
  const quiet = recorded('silent')
  quiet.log.error('e')
  assert.equal(quiet.lines.length, 0)
})

test('log: secrets are never written, at any depth up to three', () => {
  const { log, lines } = recorded('debug')
  const secret = 'hunter2'
  log.error('x', { privateKey: secret, a: { password: secret, b: { mnemonic: secret } } })
  assert.doesNotMatch(JSON.stringify(lines), /hunter2/)
  assert.match(JSON.stringify(lines), /\[secret\]/)
})

test('log: an expected error is written by its code, a defect with its stack', () => {
  const { log, lines } = recorded('debug')
  log.warn('x', { error: new HexError('not hex', { text: 'zz' }, new Error('below')) })
  log.error('y', { error: new Error('defect: z') })
  const [expected, defect] = lines.map(({ error }) => error as Record<string, unknown>)
  assert.equal(expected?.code, 'BadHex')
  assert.deepEqual(expected?.details, { text: 'zz' })
  assert.match(JSON.stringify(expected?.cause), /"message":"below"/)
  assert.equal(expected?.stack, undefined)
  assert.match(String(defect?.stack), /logging\.test/)
})
