import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Block, type BlockBytes, createBlockFromBytesArray } from '@ethereumjs/block'
import { type Common, createCommonFromGethGenesis, type GethGenesis } from '@ethereumjs/common'
import { RLP } from '@ethereumjs/rlp'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, Address, bytesToHex, hexToBytes, type KZG } from '@ethereumjs/util'
import { createVM, runBlock } from '@ethereumjs/vm'
import fc from 'fast-check'
import { type Hex, keccak256, toHex } from '#primitives'
import { emptyTrieRoot } from '../state/trie.ts'
import { type StateSink, type StateSource, WorldState } from './world-state.ts'

/** A source and a sink over the same maps. */
function memory(): { source: StateSource; sink: StateSink } {
  const nodes = new Map<string, Uint8Array>()
  const codes = new Map<string, Uint8Array>()
  return {
    source: { node: (hash) => nodes.get(toHex(hash)), code: (hash) => codes.get(toHex(hash)) },
    sink: {
      node: (hash, encoded) => void nodes.set(toHex(hash), encoded),
      code: (hash, code) => void codes.set(toHex(hash), code),
    },
  }
}

const address = (id: number): Address => new Address(keccak256(Uint8Array.of(id)).subarray(12))
const slot = (id: number): Uint8Array => new Uint8Array(32).fill(id)

type Contract =
  | { kind: 'storage'; id: number; key: number; value: number }
  | { kind: 'code'; id: number; value: number }
  | { kind: 'clear'; id: number }
type Step =
  | Contract
  | { kind: 'account'; id: number; balance: number }
  | { kind: 'delete'; id: number }
  | { kind: 'checkpoint' | 'commit' | 'revert' }

const id = fc.nat(5)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('account' as const), id, balance: fc.nat(9) }),
  fc.record({ kind: fc.constant('storage' as const), id, key: fc.nat(4), value: fc.nat(3) }),
  fc.record({ kind: fc.constant('code' as const), id, value: fc.nat(3) }),
  fc.record({ kind: fc.constant('delete' as const), id }),
  fc.record({ kind: fc.constant('clear' as const), id }),
  fc.record({ kind: fc.constantFrom('checkpoint' as const, 'commit' as const, 'revert' as const) }),
)

type State = Pick<
  WorldState,
  | 'getAccount'
  | 'modifyAccountFields'
  | 'putStorage'
  | 'putCode'
  | 'deleteAccount'
  | 'clearStorage'
  | 'checkpoint'
  | 'commit'
  | 'revert'
>

/** One change; `depth` keeps checkpoints balanced. */
async function apply(state: State, change: Step, depth: number): Promise<number> {
  switch (change.kind) {
    case 'checkpoint':
      await state.checkpoint()
      return depth + 1
    case 'commit':
    case 'revert':
      if (depth > 1) await state[change.kind]()
      return Math.max(1, depth - 1)
    case 'account': {
      const fields = { nonce: 1n, balance: BigInt(change.balance) }
      await state.modifyAccountFields(address(change.id), fields)
      return depth
    }
    case 'delete':
      await state.deleteAccount(address(change.id))
      return depth
    default:
      if (await state.getAccount(address(change.id)))
        await changeContract(state, address(change.id), change)
      return depth
  }
}

async function changeContract(state: State, at: Address, change: Contract): Promise<void> {
  if (change.kind === 'clear') await state.clearStorage(at)
  else if (change.kind === 'code') await state.putCode(at, Uint8Array.of(change.value))
  else await state.putStorage(at, slot(change.key), Uint8Array.of(change.value))
}

test('world state: any changes, checkpoints and blocks give the root of the stock manager', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 25 }), { maxLength: 4 }), (blocks) =>
      compare(blocks.map(withoutReturns)),
    ),
    { numRuns: 400 },
  ))

/**
 * A block in which no deleted account comes back: the stock manager would give it its old storage
 * again.
 */
function withoutReturns(block: readonly Step[]): readonly Step[] {
  const deleted = new Set<number>()
  return block.filter((one) => {
    if (one.kind === 'delete') deleted.add(one.id)
    return one.kind !== 'account' || !deleted.has(one.id)
  })
}

test('world state: an account that is deleted and made again has none of its old storage', async () => {
  const { source, sink } = memory()
  const state = new WorldState(source, emptyTrieRoot)
  await state.modifyAccountFields(address(5), { nonce: 1n })
  await state.putStorage(address(5), slot(0), Uint8Array.of(1))
  await state.deleteAccount(address(5))
  await state.modifyAccountFields(address(5), { nonce: 1n })
  await state.putStorage(address(5), slot(1), Uint8Array.of(0))
  state.flush(sink)
  const account = await state.getAccount(address(5))
  assert(account)
  assert.equal(toHex(account.storageRoot), toHex(emptyTrieRoot))
})

test('world state: what a revert took back of an account that was not read before changes nothing', async () => {
  const made: Step[] = [
    { kind: 'account', id: 2, balance: 0 },
    { kind: 'storage', id: 2, key: 1, value: 1 },
  ]
  for (const kind of ['delete', 'clear'] as const)
    await compare([made, [{ kind: 'checkpoint' }, { kind, id: 2 }, { kind: 'revert' }]])
})

async function compare(blocks: readonly (readonly Step[])[]): Promise<void> {
  const { source, sink } = memory()
  let ours = new WorldState(source, emptyTrieRoot)
  const theirs = new MerkleStateManager()
  for (const block of blocks) {
    for (const state of [ours, theirs]) {
      await state.checkpoint()
      let depth = 1
      for (const change of block) depth = await apply(state, change, depth)
      for (; depth > 0; depth--) await state.commit()
    }
    const root = ours.flush(sink)
    assert.equal(toHex(root), toHex(await theirs.getStateRoot()))
    ours = new WorldState(source, root) // the next block finds everything in the store
    await theirs.setStateRoot(root, true) // else it keeps the storage of deleted accounts
  }
}

const data = new URL('../../../../../shared/data/', import.meta.url)
const folder = process.env.NODEOP_DATA ? new URL(`file://${process.env.NODEOP_DATA}/`) : data
const chainFile = new URL('execution-apis/tests/chain.rlp', folder)
const skip = existsSync(chainFile) ? false : 'no execution-apis data: see NODEOP_DATA'

test('world state: the blocks of execution-apis, Frontier to Osaka, give their roots', {
  skip,
}, async () => {
  const genesis = JSON.parse(readFileSync(new URL('genesis.json', chainFile), 'utf8'))
  const common = createCommonFromGethGenesis(genesis as GethGenesis, {
    chain: 'hive',
    customCrypto: { kzg: noKzg },
  })
  const { source, sink } = memory()
  const state = new WorldState(source, emptyTrieRoot)
  for (const [name, account] of Object.entries(genesis.alloc as Alloc))
    await seed(state, name, account)
  state.flush(sink)
  const blocks = new Map<number, { hash(): Uint8Array }>()
  const blockchain = {
    getBlock: async (number: number) => blocks.get(number) as { hash(): Uint8Array },
    putBlock: async () => {},
    shallowCopy: () => blockchain,
  }
  const vm = await createVM({ common, stateManager: state, blockchain, setHardfork: true })
  for (const block of blocksOf(readFileSync(chainFile), common)) {
    await runBlock(vm, { block, skipHeaderValidation: true, skipBlockValidation: true })
    state.reset(state.flush(sink)) // the next block finds everything in the store
    assert.equal(bytesToHex(state.root), bytesToHex(block.header.stateRoot))
    blocks.set(Number(block.header.number), block)
  }
  assert.equal(blocks.size, 54)
})

/** The library wants one before it decodes a blob transaction; none of these blocks calls it. */
const noKzg = {} as KZG

type Alloc = Record<string, Seed>
type Seed = {
  readonly balance: string
  readonly nonce?: string
  readonly code?: Hex
  readonly storage?: Record<Hex, Hex>
}

async function seed(state: WorldState, name: string, account: Seed): Promise<void> {
  const at = new Address(hexToBytes(`0x${name.replace('0x', '')}`))
  await state.putAccount(at, new Account(BigInt(account.nonce ?? 0), BigInt(account.balance)))
  if (account.code) await state.putCode(at, hexToBytes(account.code))
  for (const [key, value] of Object.entries(account.storage ?? {}))
    await state.putStorage(at, hexToBytes(key as Hex), hexToBytes(value))
}

function* blocksOf(file: Uint8Array, common: Common): Generator<Block> {
  let rest = Uint8Array.from(file)
  while (rest.length > 0) {
    const { data: body, remainder } = RLP.decode(rest, true)
    yield createBlockFromBytesArray(body as unknown as BlockBytes, { common, setHardfork: true })
    rest = Uint8Array.from(remainder)
  }
}
