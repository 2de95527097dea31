// What CometBFT nodes have shown of their chain, held against all that any of them ever showed.
import { headerHash, type LightCommit, type LightHeader } from '#consensus'
import type { Hex } from '#primitives'
import { type OperatorId, reportDigest, tryDecodeTransaction } from '#records'
import type { SigningChecker } from '../support/signing-checker.ts'

/** A double vote that a block holds the proof of. */
export type Proven = {
  /** Of the block that holds it, and of the two votes. */
  readonly height: number
  readonly votedHeight: number
  /** The validator's address, upper-case and without 0x. */
  readonly address: string
}

/** What a validator has signed last, as its own file says: it only ever rises. */
export type SignState = { readonly height: number; readonly round: number; readonly step: number }

/** What an operator does in consensus, and beside it. */
export type Deed = 'vote' | 'proposal' | 'report'

/** Knows every block, vote and app hash that any operator has shown. */
export type CometHistory = {
  /** A block with the commit that an operator has for it. */
  block(operator: OperatorId, header: LightHeader, commit: LightCommit): void
  /** What a block holds: transactions, and the proofs of double votes. */
  content(height: number, transactions: readonly Uint8Array[], proven: readonly Proven[]): void
  /** An operator's newest block. */
  newest(operator: OperatorId, height: number): void
  /** The app hash that an operator's application has computed by a height. */
  application(operator: OperatorId, height: number, appHash: Hex): void
  signState(operator: OperatorId, state: SignState): void
  /** The highest block seen. */
  height(): number
  /**
   * The first block that somebody was seen to have done this in: a precommit for it, by address; a
   * proposal, by address; a report in it, by operator.
   */
  firstOf(what: Deed, who: Hex | OperatorId): number | undefined
  readonly proven: readonly Proven[]
  readonly problems: readonly string[]
}

/** @param checker - is shown precommits, and the reports that blocks hold. */
export function createCometHistory(checker: SigningChecker): CometHistory {
  const hashes = new Map<number, Hex>()
  /** App hash after each height: the next header's, or an application's own word. */
  const appHashes = new Map<number, Hex>()
  const reached = new Map<OperatorId, number>()
  const signed = new Map<OperatorId, SignState>()
  const firsts = new Map<string, number>()
  const did = (what: Deed, who: Hex | OperatorId, height: number) => {
    const name = `${what} ${who}`
    firsts.set(name, Math.min(height, firsts.get(name) ?? height))
  }
  const proven: Proven[] = []
  const problems: string[] = []
  const isOne = (known: Map<number, Hex>, height: number, found: Hex, words: string) => {
    const before = known.get(height)
    if (before === undefined) known.set(height, found)
    else if (before !== found) problems.push(`${words} ${height}: ${found}, and ${before}`)
  }
  return {
    block(operator, header, commit) {
      const { height, appHash } = header
      const hash = headerHash(header)
      if (commit.block.hash !== hash || commit.height !== height)
        problems.push(`block ${height} of operator ${operator} is not what its commit is for`)
      isOne(hashes, height, hash, `block hash at operator ${operator},`)
      isOne(appHashes, height - 1, appHash, `app hash in operator ${operator}'s blocks, after`)
      did('proposal', header.proposerAddress, height)
      for (const { address, signature } of commit.signatures) {
        checker.signed('vote', `${address} ${height} ${commit.round} precommit`, signature)
        did('vote', address, height)
      }
    },
    content(height, transactions, found) {
      proven.push(...found)
      for (const transaction of transactions.map(tryDecodeTransaction)) {
        if (transaction?.kind !== 'report') continue
        const { operator, sequence } = transaction.report
        checker.signed('report', `${operator} ${sequence}`, reportDigest(transaction.report))
        did('report', operator, height)
      }
    },
    newest(operator, height) {
      const before = reached.get(operator) ?? 0
      if (height < before)
        problems.push(`operator ${operator} has lost blocks ${height + 1} to ${before}`)
      reached.set(operator, Math.max(before, height))
    },
    application: (operator, height, appHash) =>
      isOne(appHashes, height, appHash, `app hash that operator ${operator} computed, after`),
    signState(operator, state) {
      const before = signed.get(operator)
      if (before && isBefore(state, before))
        problems.push(`operator ${operator} has forgotten what it signed: ${words(before)}`)
      signed.set(operator, state)
    },
    height: () => Math.max(0, ...reached.values()),
    firstOf: (what, who) => firsts.get(`${what} ${who}`),
    proven,
    problems,
  }
}

const isBefore = (a: SignState, b: SignState): boolean =>
  a.height < b.height ||
  (a.height === b.height && (a.round < b.round || (a.round === b.round && a.step < b.step)))

const words = ({ height, round, step }: SignState): string =>
  `height ${height}, round ${round}, step ${step}`
