import type { Hex } from '#primitives'

/** What an operator that holds its signatures knows of its network. */
export type HoldView = {
  /** Voting power by consensus key. */
  readonly powers: ReadonlyMap<Hex, bigint>
  readonly self: Hex
  /** The last height that it has committed. */
  readonly height: number
  /** The last height that each peer says it has committed, since the start. */
  readonly heard: ReadonlyMap<Hex, number>
  /** Peers that are held themselves: they may have been further than they say. */
  readonly held: ReadonlySet<Hex>
  /** Height to be reached, once it is known; it stays. */
  readonly target: number | undefined
  /** For how long no height has risen. */
  readonly quietMs: number
}

/**
 * Heights beyond the reported one that may have been signed: who works on a height has seen the
 * commit of the one before, so that more than 2/3 of the power had committed the one before that.
 */
const margin = 2

/**
 * Without a block for so long the network stands still: ten heartbeats, in which peers have relayed
 * to each other all votes that they hold.
 */
const standstillMs = 10_000

/**
 * The height that a restored operator has to reach before it signs, once peers with more than 2/3
 * of the power have said theirs: two above one that more than 1/3 say, so that an honest peer is
 * among them. Liars alone can neither keep it waiting for ever nor let it begin too early; together
 * with honest peers that lag behind they can do the latter. Peers that were restored too are no
 * witnesses: they would name the height of the backup.
 *
 * @see docs/decisions/0013-restored-operators.md
 */
export function holdTarget({ powers, self, heard, held, target }: HoldView): number | undefined {
  if (target !== undefined) return target
  const total = sum(powers.values())
  const said = [...heard]
    .filter(([peer]) => peer !== self && !held.has(peer))
    .map(([peer, height]) => ({ height, power: powers.get(peer) ?? 0n }))
    .sort((a, b) => b.height - a.height)
  if (3n * sum(said.map(({ power }) => power)) <= 2n * total) return undefined
  let power = 0n
  const witness = said.find((one) => {
    power += one.power
    return 3n * power > total
  })
  return witness && witness.height + margin
}

/**
 * Whether a restored operator may sign above its height: it has reached its target, or the network
 * stands still since it needs restored operators to go on, and every operator has said that it is
 * at this very height. Then nobody holds a block that a vote could contradict, and the own votes
 * that peers hold are in the guard.
 */
export function mayEndHold(view: HoldView): boolean {
  const { powers, self, height, heard, quietMs } = view
  const target = holdTarget(view)
  if (target !== undefined && height >= target) return true
  const voters = [...powers].filter(([peer, power]) => peer !== self && power > 0n)
  return quietMs >= standstillMs && voters.every(([peer]) => heard.get(peer) === height)
}

const sum = (powers: Iterable<bigint>): bigint => {
  let total = 0n
  for (const power of powers) total += power
  return total
}
