import { appStateOf, type Chain, chainIdOf, validatorAddress } from '#consensus'
import { fromHex, type Hex, toHex, utf8 } from '#primitives'
import type { DecidedBlock, Validator } from '#records'
import { AbciClient } from './abci-client.ts'

/** What a block did, as CometBFT learns it. */
export type Outcome = {
  readonly appHash: Hex
  readonly codes: readonly number[]
  readonly updates: readonly Validator[]
}

/** What CometBFT's genesis says. */
export type CometGenesis = { readonly chain: Chain; readonly validators: readonly Validator[] }

/** A CometBFT that decides what it is told: four connections, and its order of calls. */
export class CometDriver {
  readonly query: AbciClient
  readonly snapshot: AbciClient
  readonly mempool: AbciClient
  readonly consensus: AbciClient

  private constructor(clients: readonly [AbciClient, AbciClient, AbciClient, AbciClient]) {
    ;[this.query, this.snapshot, this.mempool, this.consensus] = clients
  }

  /** Opens the connections in CometBFT's order. */
  static async connect(address: string): Promise<CometDriver> {
    const open = () => AbciClient.connect(address)
    return new CometDriver([await open(), await open(), await open(), await open()])
  }

  /** Asks where the application stands; a chain without blocks is initialised. */
  async handshake(genesis: CometGenesis): Promise<{ height: number; appHash: Hex }> {
    const info = await this.query.ask({
      case: 'info',
      value: { version: '0.39.0', blockVersion: 11n, p2pVersion: 8n, abciVersion: '2.0.0' },
    })
    const height = Number(info.lastBlockHeight)
    if (height > 0) return { height, appHash: toHex(info.lastBlockAppHash) }
    const { appHash } = await this.consensus.ask({ case: 'initChain', value: initOf(genesis) })
    return { height, appHash: toHex(appHash) }
  }

  /** The transactions that the application wants in its block. */
  async prepare(height: number, maxTxBytes = 1_000_000n): Promise<readonly Uint8Array[]> {
    const value = { height: BigInt(height), maxTxBytes, txs: [utf8('of CometBFT')] }
    return (await this.consensus.ask({ case: 'prepareProposal', value })).txs
  }

  /** Has a block judged. */
  async judge(block: DecidedBlock): Promise<number> {
    const value = { ...toMessage(block), proposedLastCommit: lastCommitOf(block) }
    return (await this.consensus.ask({ case: 'processProposal', value })).status
  }

  async finalize(block: DecidedBlock): Promise<Outcome> {
    const value = { ...toMessage(block), decidedLastCommit: lastCommitOf(block) }
    const { appHash, txResults, validatorUpdates } = await this.consensus.ask({
      case: 'finalizeBlock',
      value,
    })
    return {
      appHash: toHex(appHash),
      codes: txResults.map(({ code }) => code),
      updates: validatorUpdates.map(({ pubKey, power }) => ({
        consensusKey: toHex(pubKey?.sum.value ?? new Uint8Array()),
        power,
      })),
    }
  }

  async commit(): Promise<void> {
    await this.consensus.ask({ case: 'commit', value: {} })
  }

  /** Breaks all connections off. */
  async kill(): Promise<void> {
    const clients = [this.query, this.snapshot, this.mempool, this.consensus]
    for (const client of clients) client.destroy()
    await Promise.all(clients.map(({ closed }) => closed))
  }
}

/** InitChain as CometBFT sends it for its genesis. */
export const initOf = ({ chain, validators }: CometGenesis) => ({
  chainId: chainIdOf(chain.networkId),
  consensusParams: { version: { app: BigInt(chain.appVersion) } },
  validators: validators.map(({ consensusKey, power }) => ({
    pubKey: { sum: { case: 'ed25519' as const, value: fromHex(consensusKey) } },
    power,
  })),
  appStateBytes: Buffer.from(JSON.stringify(appStateOf(chain.networkId), undefined, 2)),
  initialHeight: 1n,
})

const timeOf = (timeMs: number) => ({
  seconds: BigInt(Math.floor(timeMs / 1000)),
  nanos: (timeMs % 1000) * 1_000_000 + 999_999, // what a millisecond leaves out
})

const toMessage = (block: DecidedBlock) => ({
  txs: [...block.transactions],
  hash: fromHex(block.hash),
  height: BigInt(block.height),
  time: timeOf(block.timeMs),
  proposerAddress: fromHex(validatorAddress(block.proposer)),
  misbehavior: block.misbehaviour.map(({ consensusKey, height }) => ({
    type: 1 as const,
    validator: { address: fromHex(validatorAddress(consensusKey)), power: 1n },
    height: BigInt(height),
    time: timeOf(block.timeMs),
  })),
})

/** Votes that change from block to block: an application must not depend on them. */
const lastCommitOf = ({ height, proposer }: DecidedBlock) => ({
  round: height % 3,
  votes: [
    {
      validator: { address: fromHex(validatorAddress(proposer)), power: 1n },
      blockIdFlag: (1 + (height % 3)) as 1 | 2 | 3,
    },
  ],
})
