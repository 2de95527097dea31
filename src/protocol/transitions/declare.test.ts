import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { proposeAllocation } from '#node'
import type { Wei } from '#primitives'
import { freezeInputs, judgeAllocation, programmeFault } from '#protocol'
import type { Declaration, OperatorId } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { introduce, reasonsOf } from '../../../test/support/ledger-script.ts'

const plain: Declaration = { capacity: 50, costs: [], group: '' }
const costing = (service: string, cost: bigint): Partial<Declaration> => ({
  costs: [{ service, cost: cost as Wei }],
})

function speaking(n = 4) {
  const network = new LedgerNetwork(n, {}, idealCrypto)
  introduce(network)
  const say = (id: OperatorId, changes: Partial<Declaration>) =>
    network.report(id, [{ kind: 'declare', declaration: { ...plain, ...changes } }])
  const frozen = () => freezeInputs(network.ledger, undefined) ?? assert.fail()
  return { network, say, frozen }
}

test('declare: capacity, cost and group are in the next inputs that are frozen', () => {
  const { network, say, frozen } = speaking()
  const before = frozen()
  const said = [
    say(2, { ...costing('byte', 25n), group: 'acme' }),
    say(3, { group: 'acme' }),
    say(4, { group: 'alone' }),
  ]
  assert.deepEqual(reasonsOf(network.block(said)), ['ok', 'ok', 'ok'])
  const after = frozen()
  assert.deepEqual([...before.capacity], [100_000, 100_000, 100_000, 100_000])
  assert.deepEqual([...after.capacity], [100_000, 50, 50, 50])
  assert.deepEqual([[...after.group], after.groups], [[-1, 0, 0, -1], 1])
  assert.deepEqual([...after.groupShare], [333_333, 333_333])
  // Both services pay 250 wei a place: 25 wei are a tenth of it.
  const [byte, text] = [0, 1]
  const row = 1 * after.services.length
  const lost = (column: number) =>
    (before.utility[row + column] as number) - (after.utility[row + column] as number)
  assert.equal(lost(byte), 100_000)
  assert.equal(lost(text), 0)
})

test('declare: a cost counts up to the cap, a capacity up to the most places', () => {
  const { network, say, frozen } = speaking()
  const before = frozen()
  network.block([say(1, { ...costing('byte', 2n ** 255n), capacity: 2 ** 32 - 1 })])
  const after = frozen()
  assert.equal((before.utility[0] as number) - (after.utility[0] as number), 500_000)
  assert.equal(after.capacity[0], 100_000)
})

test('declare: strange services, disorder, odd groups and repetition are refused', () => {
  const { network, say } = speaking()
  const twice = { service: 'byte', cost: 1n as Wei }
  const said = [
    say(1, costing('nothing', 1n)),
    say(1, costing('tally', 1n)),
    say(1, { costs: [twice, twice] }),
    say(1, { group: 'Acme' }),
    say(1, { group: 'acme' }),
    say(1, { group: 'acme' }),
    say(1, {}),
  ]
  assert.deepEqual(reasonsOf(network.block(said)), [
    'UnknownService',
    'UnknownService',
    'BadDeclaration',
    'BadDeclaration',
    'ok',
    'AlreadyHeld',
    'ok',
  ])
})

test('declare: whatever operators say, the inputs stay in bounds and can be solved and verified', () => {
  const declaration = fc.record({
    capacity: fc.constantFrom(0, 1, 40, 2 ** 32 - 1),
    group: fc.constantFrom('', 'a', 'b'),
    costs: fc
      .subarray(['byte', 'text'])
      .chain((names) =>
        fc.tuple(
          ...names.map((service) =>
            fc.constantFrom(0n, 1n, 300n).map((cost) => ({ service, cost: cost as Wei })),
          ),
        ),
      ),
  })
  fc.assert(
    fc.property(fc.array(declaration, { minLength: 5, maxLength: 5 }), (declarations) => {
      const { network, say, frozen } = speaking(5)
      network.block(declarations.map((one, row) => say(row + 1, one)))
      const programme = frozen()
      assert.equal(programmeFault(programme), undefined)
      const proposal = proposeAllocation(1, programme) ?? assert.fail()
      const judged = judgeAllocation(programme, proposal, 100)
      assert(judged.ok, 'ok' in judged && !judged.ok ? judged.detail : '')
      const { entries, start } = proposal
      for (let column = 0; column < programme.services.length; column++) {
        const together = new Map<number, number>()
        for (const [row, group] of programme.group.entries())
          for (const entry of entries.subarray(start[row], start[row + 1]))
            if (group >= 0 && Math.floor(entry / 2 ** 20) === column)
              together.set(group, (together.get(group) ?? 0) + (entry % 2 ** 20))
        for (const sum of together.values())
          assert(sum <= 333_333 * (programme.seats[column] as number), `${sum}`)
      }
    }),
    { numRuns: 40 },
  )
})
