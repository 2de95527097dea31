import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chaosKinds } from './chaos.ts'
import { BadOptionError, parseDevnetOptions, type RawDevnetOptions } from './options.ts'

const parse = (raw: RawDevnetOptions) => parseDevnetOptions(raw, '/base')

test('devnet options: nothing given gives the defaults', () =>
  assert.deepEqual(parse({}), {
    operators: 4,
    engine: 'embedded',
    port: 8545,
    data: undefined,
    load: 0,
    chaos: [],
    slowOperator: 2,
    l1DownMs: undefined,
    forMs: undefined,
    keptBlocks: undefined,
    init: false,
    json: false,
    share: false,
    seed: 1,
    logLevel: 'warn',
  }))

test('devnet options: every value is read', () =>
  assert.deepEqual(
    parse({
      operators: '7',
      engine: 'embedded',
      port: '0',
      data: 'here',
      load: '100',
      chaos: 'liar,copier,liar,slow=3,l1-down=600',
      for: '2m',
      keepBlocks: '5000',
      init: true,
      json: true,
      share: true,
      seed: '9',
      logLevel: 'debug',
    }),
    {
      operators: 7,
      engine: 'embedded',
      port: 0,
      data: '/base/here',
      load: 100,
      chaos: ['liar', 'copier', 'slow', 'l1-down'],
      slowOperator: 3,
      l1DownMs: 600_000,
      forMs: 120_000,
      keptBlocks: 5_000,
      init: true,
      json: true,
      share: true,
      seed: 9,
      logLevel: 'debug',
    },
  ))

const refused = (raw: RawDevnetOptions, message: string) =>
  assert.throws(
    () => parse(raw),
    (error: unknown) => error instanceof BadOptionError && error.message === message,
  )

test('devnet options: a bad value is one error: option, value, what is allowed', () => {
  const not = (option: string, value: string, allowed: string) =>
    `--${option} ${JSON.stringify(value)} is not allowed; allowed: ${allowed}`
  for (const value of ['0', '65', '-1', '4.5', '1e1', '', 'four', '0x4'])
    refused({ operators: value }, not('operators', value, 'a whole number from 1 to 64'))
  refused({ engine: 'raft' }, not('engine', 'raft', 'embedded, cometbft'))
  refused({ port: '65533' }, not('port', '65533', 'a whole number from 0 to 65532'))
  refused({ load: '10001' }, not('load', '10001', 'a whole number from 0 to 10000'))
  refused({ logLevel: 'loud' }, not('log-level', 'loud', 'debug, info, warn, error, silent'))
  refused({ data: '' }, not('data', '', 'the path of a folder'))
  const kept = 'a whole number from 1024 to 9007199254740991'
  refused({ keepBlocks: '1023' }, not('keep-blocks', '1023', kept))
  refused({ seed: '-1' }, not('seed', '-1', 'a whole number from 0 to 9007199254740991'))
  const kinds = chaosKinds.join(', ')
  refused({ chaos: 'storm' }, not('chaos', 'storm', kinds))
  refused({ chaos: 'liar,' }, not('chaos', '', kinds))
  const seconds = 'a whole number from 1 to 86400'
  refused({ chaos: 'l1-down=0' }, not('chaos l1-down', '0', seconds))
  refused({ chaos: 'reorg=5' }, not('chaos', 'reorg=5', kinds))
  const many = 'only with --operators 4 or more'
  refused({ operators: '3', chaos: 'operator' }, not('chaos', 'operator', many))
  const outer = 'with --engine cometbft only operator, l1-down, reorg, deep-reorg'
  refused({ engine: 'cometbft', chaos: 'reorg,liar' }, not('chaos', 'reorg,liar', outer))
  refused({ engine: 'cometbft', share: true }, not('share', 'true', 'only with --engine embedded'))
  for (const value of ['30', '0s', '999ms', '25h', '-1s', '1.5s', 's', '1 s'])
    refused({ for: value }, not('for', value, 'a duration from 1s to 24h, such as 30s, 5m or 1h'))
})

test('devnet options: any texts give options or a BadOption', () =>
  fc.assert(
    fc.property(
      fc.constantFrom('operators', 'engine', 'port', 'data', 'load', 'chaos', 'for', 'seed'),
      fc.oneof(fc.string(), fc.integer().map(String)),
      (option, text) => {
        try {
          parse({ [option]: text })
        } catch (thrown) {
          assert(thrown instanceof BadOptionError)
          assert.equal(thrown.details.option, option)
        }
      },
    ),
  ))
