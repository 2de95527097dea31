import { DomainError } from '#primitives'

/** What helps when a ledger's file is damaged: everything in it follows from the blocks. */
export const remedy =
  'restore the folder from a backup, or remove this file: it is made again from the blocks'

/** The ledger's file is damaged in a row that is no node, or the database cannot read it. */
export class CorruptStoreError extends DomainError<'CorruptStore', { file: string }> {
  override readonly code = 'CorruptStore'
}

/** The ledger's file belongs to another network, operator or version. */
export class WrongLedgerError extends DomainError<'WrongLedger', { file: string }> {
  override readonly code = 'WrongLedger'
}
