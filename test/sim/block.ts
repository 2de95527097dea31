import type { Conflict, Vote } from '#consensus'
import type { Hex } from '#primitives'
import type { Transaction } from '#records'

/** A block as far as consensus cares; its name stands for a hash without collisions. */
export type Block = {
  readonly name: Hex
  readonly height: number
  readonly parent: Hex
  readonly proposer: Hex
  readonly timeMs: number
  /** Whether the ledger would accept it. */
  readonly isAcceptable: boolean
  readonly misbehaviour: readonly Conflict[]
  readonly transactions: readonly Transaction[]
  /** Whether its parts have to be asked for. */
  readonly isBig: boolean
  /** Of the ledger before it; the empty name where there is no ledger. */
  readonly appHash: Hex
}

/** A decided block with the precommits that decided it. */
export type Stored = { readonly block: Block; readonly commit: readonly Vote[] }

/** Parts of a big block. */
const bigParts = 3

/** The names of a block's parts; a part is as good as its name here. */
export const partsOf = ({ name, isBig }: Block): readonly Hex[] =>
  isBig ? Array.from({ length: bigParts }, (_, i): Hex => `${name}${i}`) : []

/** Name of the block before the first. */
export const genesisName: Hex = '0x00'

/** How far a block's time may be ahead of a validator's clock before it prevotes nil. */
export const maxAheadMs = 5_000
