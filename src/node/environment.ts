import { DomainError, fromHex, toHex, vrfVerify } from '#primitives'
import type { Environment, Service } from '#protocol'
import type { Genesis, ServiceSpec } from '#records'
import { priceService } from '#services/price'
import { sequencerService } from '#services/sequencer'
import { loadSecp256k1, recoverAddressWith } from './recover.ts'

/** Proofs whose outputs are kept: a proposal is checked, then executed. */
const keptProofs = 64

/** The ledger's pure functions in their fast form, over the services that this genesis names. */
export function createEnvironment(genesis: Genesis): Environment {
  const services = genesis.services.map(({ spec, state }) => serviceOf(spec, state))
  const outputs = new Map<string, Uint8Array | undefined>()
  return {
    services: new Map(services.map((service) => [service.spec.name, service])),
    recoverAddress: recoverAddressWith(loadSecp256k1().recover),
    verifyRandomness: (vrfKey, alpha, proof) => {
      const key = `${vrfKey}${toHex(alpha)}${toHex(proof)}`
      if (!outputs.has(key)) outputs.set(key, vrfVerify(fromHex(vrfKey), alpha, proof))
      const oldest = outputs.keys().next().value
      if (outputs.size > keptProofs && oldest !== undefined) outputs.delete(oldest)
      return outputs.get(key)
    },
  }
}

/** The services that come with NodeOP, by the name under which a genesis admits them. */
function serviceOf(spec: ServiceSpec, state: Uint8Array): Service {
  if (spec.name === 'price' && spec.mode === 'assigned')
    return { ...priceService, spec: { ...spec, mode: spec.mode } }
  if (spec.name === 'sequencer' && spec.mode === 'replicated')
    return sequencerService({ ...spec, mode: spec.mode }, state)
  throw new UnknownServiceError(`no ${spec.mode} service "${spec.name}" in this binary`, {
    name: spec.name,
  })
}

/** The genesis names a service that this binary does not have. */
export class UnknownServiceError extends DomainError<'UnknownService', { name: string }> {
  override readonly code = 'UnknownService'
}
