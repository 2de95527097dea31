import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Hex } from '#primitives'

/** A decided block and the app hash after it. */
export type GoldenBlock = {
  readonly height: number
  readonly timeMs: number
  /** Consensus key of its proposer. */
  readonly proposer: Hex
  readonly hash: Hex
  readonly transactions: readonly Hex[]
  readonly appHash: Hex
}

/** A recorded run: `npm run golden` writes it. */
export type GoldenLog = {
  /** SSZ bytes of the genesis. */
  readonly genesis: Hex
  readonly blocks: readonly GoldenBlock[]
}

export const readGoldenLog = (name: string): GoldenLog =>
  JSON.parse(gunzipSync(readFileSync(new URL(name, import.meta.url))).toString('utf8'))
