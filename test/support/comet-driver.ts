import assert from 'node:assert/strict'
import { appStateOf, type Chain, chainIdOf, validatorAddress } from '#consensus'
import { fromHex, type Hex, toHex, utf8 } from '#primitives'
import type { DecidedBlock, Validator } from '#records'
import { AbciClient } from './abci-client.ts'
import type { Outcome } from './outcome.ts'

/** What CometBFT's genesis says. */
export type CometGenesis = { readonly chain: Chain; readonly validators: readonly Validator[] }

/** Who precommitted the block before, and in which round that was decided. */
export type LastCommit = {
  readonly round: number
  readonly votes: readonly {
    readonly validator: Validator
    readonly vote: 'absent' | 'commit' | 'nil'
  }[]
}

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
  async judge(block: DecidedBlock, lastCommit = anyCommit(block)): Promise<number> {
    const value = { ...toMessage(block), proposedLastCommit: toInfo(lastCommit) }
    return (await this.consensus.ask({ case: 'processProposal', value })).status
  }

  async finalize(block: DecidedBlock, lastCommit = anyCommit(block)): Promise<Outcome> {
    const value = { ...toMessage(block), decidedLastCommit: toInfo(lastCommit) }
    const { appHash, txResults, validatorUpdates } = await this.consensus.ask({
      case: 'finalizeBlock',
      value,
    })
    return {
      appHash: toHex(appHash),
      results: txResults.map(({ code, log }) => {
        assert(code <= 1, 'all refusals have one code: it goes into the next header')
        return code === 0 ? 'ok' : log
      }),
      validatorUpdates: validatorUpdates.map(({ pubKey, power }) => ({
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
const anyCommit = ({ height, proposer }: DecidedBlock): LastCommit => ({
  round: height % 3,
  votes: [
    {
      validator: { consensusKey: proposer, power: 1n },
      vote: (['absent', 'commit', 'nil'] as const)[height % 3] ?? 'absent',
    },
  ],
})

/** CometBFT's numbers for what a validator did. */
const flags = { absent: 1, commit: 2, nil: 3 } as const

const toInfo = ({ round, votes }: LastCommit) => ({
  round,
  votes: votes.map(({ validator: { consensusKey, power }, vote }) => ({
    validator: { address: fromHex(validatorAddress(consensusKey)), power },
    blockIdFlag: flags[vote],
  })),
})
