import { fromHex } from '#primitives'
import type { GasBearing } from '../state/intrinsic-gas.ts'
import type { CallMessage } from './types.ts'

/** What a message pays for before it runs. */
export const gasBearing = (message: CallMessage): GasBearing => ({
  to: message.to ? fromHex(message.to) : undefined,
  data: message.data ?? new Uint8Array(0),
  accessList: (message.accessList ?? []).map(({ address, storageKeys }) => ({
    address: fromHex(address),
    keys: storageKeys.map((key) => fromHex(key)),
  })),
  authorizations: message.authorizations ?? [],
})
