import {
  DomainError,
  fromHex,
  type Hex,
  setBounded,
  toHex,
  useHashes,
  usePoints,
  vrfVerify,
} from '#primitives'
import type { Environment, Service } from '#protocol'
import type { Genesis, ServiceSpec } from '#records'
import { priceService, priceSpec } from '#services/price'
import { sequencerService, sequencerSpec } from '#services/sequencer'
import { l2GenesisOf } from './l2-genesis.ts'
import { ownHashes } from './own-hashes.ts'
import { loadOwnPoints } from './own-points.ts'
import { createPassedCalls, type PassedCalls } from './passed-calls.ts'
import { loadSecp256k1, recoverAddressWith } from './recover.ts'

/** Proofs whose outputs are kept: a proposal is checked, then executed. */
const keptProofs = 64
/**
 * Signatures whose signers are kept: a report is checked when it arrives, proposed, and executed.
 */
const keptSigners = 4096

const ownPoints = loadOwnPoints()

/**
 * The ledger's pure functions in their fast form, over the services that this genesis names. What
 * is asked again and again is remembered, and from here on the process hashes and proves by its own
 * means: all that is seen in nothing but time.
 *
 * @param passed - calls that are known to pass their service's check.
 * @param serviceOf - finds a service by what the genesis says of it; absent: those of NodeOP.
 * @throws UnknownServiceError
 */
export function createEnvironment(
  genesis: Genesis,
  passed: PassedCalls = createPassedCalls(),
  serviceOf: FindService = ownService,
): Environment {
  useHashes(ownHashes)
  usePoints(ownPoints)
  const services = genesis.services.map(({ spec, state }) =>
    withMemory(serviceOf(spec, state), passed),
  )
  return {
    services: new Map(services.map((service) => [service.spec.name, service])),
    recoverAddress: rememberSigners(recoverAddressWith(loadSecp256k1().recover)),
    verifyRandomness: rememberProofs((vrfKey, alpha, proof) =>
      vrfVerify(fromHex(vrfKey), alpha, proof),
    ),
  }
}

function rememberSigners(recover: Environment['recoverAddress']): Environment['recoverAddress'] {
  const signers = new Map<string, Hex | undefined>()
  return (digest, signature) => {
    const key = `${digest}${signature}`
    if (!signers.has(key)) setBounded(signers, key, recover(digest, signature), keptSigners)
    return signers.get(key)
  }
}

function rememberProofs(verify: Environment['verifyRandomness']): Environment['verifyRandomness'] {
  const outputs = new Map<string, Uint8Array | undefined>()
  return (vrfKey, alpha, proof) => {
    const key = `${vrfKey}${toHex(alpha)}${toHex(proof)}`
    if (!outputs.has(key)) setBounded(outputs, key, verify(vrfKey, alpha, proof), keptProofs)
    return outputs.get(key)
  }
}

/** A replicated service whose check is asked once for each call. */
function withMemory(service: Service, passed: PassedCalls): Service {
  if (!('begin' in service)) return service
  const { name } = service.spec
  return {
    ...service,
    check: (payload) => passed.judge(name, payload, () => service.check(payload)),
  }
}

/**
 * Finds the service that a genesis names.
 *
 * @param state - its part of the genesis.
 * @throws UnknownServiceError
 */
export type FindService = (spec: ServiceSpec, state: Uint8Array) => Service

/** The services that come with NodeOP, by the name under which a genesis admits them. */
function ownService(spec: ServiceSpec, state: Uint8Array): Service {
  if (spec.name === priceSpec.name && spec.mode === 'assigned')
    return { ...priceService, spec: { ...spec, mode: spec.mode } }
  if (spec.name === sequencerSpec.name && spec.mode === 'replicated')
    return sequencerService({ ...spec, mode: spec.mode }, l2GenesisOf(state))
  throw new UnknownServiceError(`no ${spec.mode} service "${spec.name}" in this binary`, {
    name: spec.name,
  })
}

/** The genesis names a service that this binary does not have. */
export class UnknownServiceError extends DomainError<'UnknownService', { name: string }> {
  override readonly code = 'UnknownService'
}
