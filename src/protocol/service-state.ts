import { assert, type Table } from '#primitives'
import type { Ledger } from './ledger.ts'
import type { ServiceState } from './service.ts'

/** A service's view of the ledger: only keys under its own name. */
type Namespace = ServiceState & { readonly table: Table<Uint8Array> }

/** The namespace of one service as the value that its functions take. */
export const serviceState = (ledger: Ledger, service: string): ServiceState =>
  namespace(ledger.states, `${service}/`)

/** The ledger with the state that a service returned. */
export function withServiceState(ledger: Ledger, state: ServiceState): Ledger {
  assert('table' in state, 'a service returns a state made from the one it was given')
  return { ...ledger, states: (state as Namespace).table }
}

const namespace = (table: Table<Uint8Array>, prefix: string): Namespace => ({
  table,
  get: (key) => table.get(prefix + key),
  set: (key, value) => namespace(table.set(prefix + key, value), prefix),
  delete: (key) => namespace(table.delete(prefix + key), prefix),
})
