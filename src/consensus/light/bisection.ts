import { headerHash } from './header.ts'
import {
  type LightBlock,
  type LightFault,
  type TrustedBlock,
  type TrustOptions,
  verifyLightBlock,
} from './verify.ts'

/** Where light blocks come from; undefined when there is none of that height. Not trusted. */
export type LightSource = (height: number) => Promise<LightBlock | undefined>

/**
 * The blocks that led from trust to the one asked for, which is the last; or why there are none.
 */
export type Bisected =
  | { readonly ok: true; readonly trace: readonly LightBlock[] }
  | {
      readonly ok: false
      readonly reason: Exclude<LightFault, 'NotEnoughTrust'> | 'MissingLightBlock'
      /** The block that was refused, or was not there. */
      readonly height: number
    }

/**
 * Goes from a trusted block to a later one in as few steps as the changes of validators allow:
 * where one step is too long, the block half way comes first.
 */
export async function verifyToHeight(
  trusted: TrustedBlock,
  target: number,
  source: LightSource,
  options: TrustOptions,
  nowNs: bigint,
): Promise<Bisected> {
  const trace: LightBlock[] = []
  const open = [target]
  for (let height = open.at(-1); height !== undefined; height = open.at(-1)) {
    const from: TrustedBlock = trace.at(-1) ?? trusted
    const block = await source(height)
    if (block?.header.height !== height) return { ok: false, reason: 'MissingLightBlock', height }
    const verdict = verifyLightBlock(from, block, options, nowNs)
    if (verdict.ok) {
      trace.push(block)
      open.pop()
    } else if (verdict.reason === 'NotEnoughTrust')
      open.push(Math.floor((from.header.height + height) / 2))
    else return { ok: false, reason: verdict.reason, height }
  }
  return { ok: true, trace }
}

/**
 * Whether independent sources show the block that was verified. One that shows another means that
 * more than a third of the power signed two chains, or that the source lies: neither can be told
 * from here, so nothing may be built on the block until somebody has looked.
 */
export async function compareSources(
  verified: LightBlock,
  witnesses: readonly LightSource[],
): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: 'ConflictingHeaders' }> {
  const hash = headerHash(verified.header)
  for (const witness of witnesses) {
    const other = await witness(verified.header.height)
    if (other && headerHash(other.header) !== hash)
      return { ok: false, reason: 'ConflictingHeaders' }
  }
  return { ok: true }
}
