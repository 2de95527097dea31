import { equalBytes, type Wei } from '#primitives'
import { type Codec, encode, list, record, text, uint32, uint256 } from './codec.ts'
import { maxServices, type ServiceName } from './service.ts'

/** Largest capacity that can be written. */
export const maxDeclaredCapacity = 2 ** 32 - 1

/**
 * What an operator says of itself, for the allocation to count with: what it can do, what that
 * costs it, and whom it stands or falls with.
 */
export type Declaration = {
  /** Committee places that it can fill in an epoch. */
  readonly capacity: number
  /**
   * What a place costs it, by service, in ascending order of names; nothing where none is named.
   */
  readonly costs: readonly DeclaredCost[]
  /** Name of those whom it stands or falls with, as one owner's; empty: nobody. */
  readonly group: string
}

/** The cost of one place in the committees of a service. */
export type DeclaredCost = { readonly service: ServiceName; readonly cost: Wei }

export const declarationCodec: Codec<Declaration> = record({
  capacity: uint32,
  costs: list<DeclaredCost>(record({ service: text(31), cost: uint256<Wei>() }), maxServices),
  group: text(32),
})

/** Whether two say the same. */
export const isSameDeclaration = (a: Declaration, b: Declaration): boolean =>
  equalBytes(encode(declarationCodec, a), encode(declarationCodec, b))
