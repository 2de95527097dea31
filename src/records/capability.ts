import { list, oneOf } from './codec.ts'

/** What an operator's machine may have beyond the ordinary, and a service may require. */
export const capabilities = ['gpu', 'tee', 'large-memory', 'archive'] as const
export type Capability = (typeof capabilities)[number]

/** Capabilities of a machine, or required of one. */
export const capabilitiesCodec = list(oneOf(capabilities), capabilities.length)
