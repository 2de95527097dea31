import { fromHex } from '#primitives'
import type { Validator } from '#records'
import { appStateOf, type Chain, chainIdOf } from '../chain.ts'
import { addressText, publicKeyJson } from './keys.ts'

/** What of a network CometBFT has to know before its first block. */
export type CometGenesis = Chain & {
  readonly timeMs: number
  readonly validators: readonly Validator[]
  /** Most bytes of a block's transactions. */
  readonly maxTransactionBytes: number
}

/** What a block has around its transactions: header, and a commit of 200 validators. */
const aroundBytes = 64 * 1024
/** Evidence counts for two days, as CometBFT has it by default: as long as stake cannot leave. */
const evidenceAge = { blocks: 100_000, ns: 172_800_000_000_000n, bytes: 64 * 1024 }

/** `genesis.json`: the same bytes for all operators of a network. */
export function genesisJson(genesis: CometGenesis): string {
  const { networkId, appVersion, timeMs, validators, maxTransactionBytes } = genesis
  const document = {
    genesis_time: new Date(timeMs).toISOString(),
    chain_id: chainIdOf(networkId),
    initial_height: '1',
    consensus_params: {
      block: {
        max_bytes: String(maxTransactionBytes + evidenceAge.bytes + aroundBytes),
        max_gas: '-1',
      },
      evidence: {
        max_age_num_blocks: String(evidenceAge.blocks),
        max_age_duration: String(evidenceAge.ns),
        max_bytes: String(evidenceAge.bytes),
      },
      validator: { pub_key_types: ['ed25519'] },
      version: { app: String(appVersion) },
      abci: { vote_extensions_enable_height: '0' },
    },
    validators: validators.map(({ consensusKey, power }) => ({
      address: addressText(fromHex(consensusKey)),
      pub_key: publicKeyJson(fromHex(consensusKey)),
      power: String(power),
      name: '',
    })),
    // The application says it when the chain begins.
    app_hash: '',
    app_state: appStateOf(networkId),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}
