import { DomainError, fromUtf8, type Hex } from '#primitives'
import type { Validator } from '#records'
import type { RequestInitChain } from './messages/abci_pb.ts'
import { ed25519KeyOf } from './validators.ts'

/** What a CometBFT network has to agree with its application about before the first block. */
export type Chain = {
  /** SHA-256 of our genesis. */
  readonly networkId: Hex
  /** Version of the application's rules, in every header. */
  readonly appVersion: number
}

/** Most characters that CometBFT takes for a chain id. */
const maxChainId = 50

/** The chain id in CometBFT's signatures: as much of the network's id as it has room for. */
export const chainIdOf = (networkId: Hex): string =>
  `nodeop-${networkId.slice(2)}`.slice(0, maxChainId)

/** What stands as `app_state` in CometBFT's genesis: the network's whole id. */
export const appStateOf = (networkId: Hex): { readonly network: Hex } => ({ network: networkId })

/**
 * Compares CometBFT's genesis with ours.
 *
 * @param validators - those of our genesis; CometBFT's may leave them to us by naming none.
 * @throws WrongGenesisError
 */
export function checkGenesis(
  request: RequestInitChain,
  chain: Chain,
  validators: readonly Validator[],
): void {
  const { chainId, appStateBytes, consensusParams, initialHeight } = request
  requireSame('chain_id', chainId, chainIdOf(chain.networkId))
  requireSame('app_state.network', networkIn(appStateBytes), chain.networkId)
  requireSame('version.app', consensusParams?.version?.app ?? 0n, BigInt(chain.appVersion))
  requireSame('initial_height', initialHeight, 1n)
  requireSame(
    'vote_extensions_enable_height',
    consensusParams?.abci?.voteExtensionsEnableHeight ?? 0n,
    0n,
  )
  if (request.validators.length === 0) return
  const theirs = request.validators.map(({ pubKey, power }) => line(ed25519KeyOf(pubKey), power))
  const ours = validators.map(({ consensusKey, power }) => line(consensusKey, power))
  requireSame('validators', theirs.sort().join(', '), ours.sort().join(', '))
}

const line = (key: Hex | undefined, power: bigint) => `${key ?? 'no ed25519 key'} with ${power}`

function requireSame(field: string, theirs: string | bigint, ours: string | bigint): void {
  if (theirs === ours) return
  throw new WrongGenesisError(
    `CometBFT's genesis has ${field} ${theirs === '' ? '(nothing)' : theirs}, this operator's ${ours}`,
    { field, theirs: String(theirs), ours: String(ours) },
  )
}

function networkIn(appState: Uint8Array): string {
  try {
    const value: unknown = JSON.parse(fromUtf8(appState))
    if (typeof value !== 'object' || value === null || !('network' in value)) return ''
    return typeof value.network === 'string' ? value.network : ''
  } catch {
    return ''
  }
}

/** CometBFT was started with another genesis than this operator. */
export class WrongGenesisError extends DomainError<
  'WrongGenesis',
  { readonly field: string; readonly theirs: string; readonly ours: string }
> {
  override readonly code = 'WrongGenesis'
}
