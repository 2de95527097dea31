import { fromHex, sha256, shuffle, uint64Bytes, utf8 } from '#primitives'
import type { Operator, Signer } from '#records'
import { type Ledger, noncePoolOf, operatorsOf } from '../ledger.ts'

/** Whether enough operators have a nonce to sign with. */
export const canSign = (ledger: Ledger): boolean =>
  ableSigners(ledger).length >= ledger.constants.threshold

/**
 * As many as a signature needs: operators in good standing before jailed ones, who are asked only
 * when there are too few others, responsive ones before silent ones, and else by the randomness.
 *
 * @returns in ascending order of id, each with the nonce that it must use.
 */
export function chooseSigners(
  ledger: Ledger,
  checkpoint: number,
  attempt: number,
): readonly Signer[] {
  const seed = sha256(
    utf8('NodeOP signers'),
    fromHex(ledger.chain.mix),
    uint64Bytes(checkpoint),
    uint64Bytes(attempt),
  )
  return [...shuffle(seed, ableSigners(ledger))]
    .sort((a, b) => standing(a) - standing(b) || a.silentSessions - b.silentSessions)
    .slice(0, ledger.constants.threshold)
    .sort((a, b) => a.id - b.id)
    .flatMap(({ id }) => {
      const [nonce] = noncePoolOf(ledger, id).unused
      return nonce ? [{ operator: id, nonce, share: undefined }] : []
    })
}

/** The ledger in which the signers' nonces are used up. */
export const spendNonces = (ledger: Ledger, signers: readonly Signer[]): Ledger => ({
  ...ledger,
  nonces: signers.reduce((table, { operator }) => {
    const pool = noncePoolOf(ledger, operator)
    return table.set(String(operator), { ...pool, unused: pool.unused.slice(1) })
  }, ledger.nonces),
})

const ableSigners = (ledger: Ledger): readonly Operator[] =>
  operatorsOf(ledger).filter(({ id }) => noncePoolOf(ledger, id).unused.length > 0)

const standing = ({ status }: Operator): number => (status === 'active' ? 0 : 1)
