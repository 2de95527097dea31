import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Hex } from '#primitives'
import type { Proposal } from '../core/index.ts'
import {
  type Assemblies,
  addPart,
  announce,
  fill,
  look,
  mostAssemblies,
  nextWant,
} from './assembly.ts'

type Known = Assemblies<string, string>
const nameOf = (part: string): Hex => `0x${part}`
const offer = (number: number, round = 0): Proposal => ({
  ...{ height: 5, round, validRound: -1, value: `0x${number}`, proposer: '0xaa', signature: '0x' },
})
const telling = (number: number, from: Hex, round = 0) => ({
  ...{ proposal: offer(number, round), header: `header ${number}`, from },
  names: ['a', 'b', 'c'].map((part) => nameOf(`${part}${number}`)),
})
const never = () => false
const always = () => true

test('assembly: parts are asked of one peer, and of the next when none have come for a while', () => {
  const known: Known = new Map()
  const assembly = announce(known, telling(1, '0x01'), never) ?? assert.fail()
  assert.equal(announce(known, telling(1, '0x02'), never), assembly)
  assert.deepEqual(nextWant(assembly), { to: '0x01', value: '0x1', indices: [0, 1, 2] })
  look(assembly)
  assert.equal(nextWant(assembly), undefined)
  assert.equal(addPart(assembly, '0x01', 1, 'b1', nameOf), 'kept')
  look(assembly)
  assert.equal(nextWant(assembly), undefined)
  look(assembly)
  assert.deepEqual(nextWant(assembly), { to: '0x02', value: '0x1', indices: [0, 2] })
})

test('assembly: a wrong part is not kept, its sender is not asked again, another one at once', () => {
  const known: Known = new Map()
  const assembly = announce(known, telling(1, '0x01'), never) ?? assert.fail()
  announce(known, telling(1, '0x02'), never)
  nextWant(assembly)
  for (const [index, part] of [
    [0, 'b1'],
    [3, 'a1'],
    [-1, 'a1'],
  ] as const)
    assert.equal(addPart(assembly, '0x01', index, part, nameOf), 'bad')
  assert.equal(assembly.missing, 3)
  assert.equal(nextWant(assembly)?.to, '0x02')
  for (let i = 0; i < 2; i++) look(assembly)
  assert.equal(nextWant(assembly)?.to, '0x02')
  assert.equal(addPart(assembly, '0x02', 0, 'a1', nameOf), 'kept')
  assert.equal(addPart(assembly, '0x02', 0, 'a1', nameOf), 'held')
})

test('assembly: wrong parts make one peer more be asked, however many are sent', () => {
  const known: Known = new Map()
  const assembly = announce(known, telling(1, '0x01'), never) ?? assert.fail()
  announce(known, telling(1, '0x02'), never)
  announce(known, telling(1, '0x03'), never)
  nextWant(assembly)
  assert.equal(addPart(assembly, '0x04', 0, 'b1', nameOf), 'bad')
  assert.equal(nextWant(assembly), undefined, 'of one who was not to be asked')
  assert.equal(addPart(assembly, '0x01', 0, 'b1', nameOf), 'bad')
  assert.equal(nextWant(assembly)?.to, '0x02')
  announce(known, telling(1, '0x01'), never)
  assert.equal(addPart(assembly, '0x01', 0, 'b1', nameOf), 'bad')
  assert.equal(nextWant(assembly), undefined, 'announced again')
  assert(!assembly.sources.includes('0x01'))
})

test('assembly: of one round the first block counts, and any that votes ask for', () => {
  const known: Known = new Map()
  assert(announce(known, telling(1, '0x01'), never))
  assert.equal(announce(known, telling(2, '0x01'), never), undefined)
  assert(announce(known, telling(3, '0x01', 1), never), 'another round')
  assert(announce(known, telling(2, '0x02'), always))
  assert.equal(known.size, 3)
})

test('assembly: what is held already is not asked for', () => {
  const known: Known = new Map()
  const assembly = announce(known, telling(1, '0x01'), never) ?? assert.fail()
  fill(assembly, (name) => (name === '0xb1' ? 'b1' : undefined))
  assert.deepEqual(nextWant(assembly)?.indices, [0, 2])
  assert.equal(assembly.missing, 2)
})

test('assembly: whatever is announced, few blocks wait, and those that votes ask for stay', () => {
  const one = fc.record({ number: fc.nat(40), round: fc.nat(30) })
  const plan = fc.tuple(
    fc.array(one, { maxLength: 80 }),
    fc.uniqueArray(fc.nat(40), { maxLength: 3 }),
  )
  fc.assert(
    fc.property(plan, ([all, asked]) => {
      const known: Known = new Map()
      const isAsked = ({ value }: Proposal) => asked.includes(Number(value.slice(2)))
      const wanted = new Set<Hex>()
      for (const { number, round } of all) {
        const assembly = announce(known, telling(number, '0x01', round), isAsked)
        if (isAsked(offer(number))) {
          assert(assembly)
          wanted.add(assembly.value)
        }
        assert(known.size <= mostAssemblies)
        for (const value of wanted) assert(known.has(value))
      }
    }),
  )
})
