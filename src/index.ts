/**
 * What a service is made of. Every room has a subpath of its own as well: `nodeop/api` is the typed
 * client of a gateway, `nodeop/records` the records and their encodings.
 */
export type {
  AssignedService,
  LeafDraft,
  ReplicatedService,
  Revealed,
  Service,
  ServiceBlock,
  ServiceState,
} from '#protocol'
export type { ServiceSpec, Verdict } from '#records'
