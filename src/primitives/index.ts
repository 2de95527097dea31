export * from './bounded.ts'
export * from './bytes.ts'
export * from './errors.ts'
export * from './give-way.ts'
export * from './hashes.ts'
export * from './json-reader.ts'
export * from './merkle.ts'
export * from './module-beside.ts'
export * from './ports.ts'
export * from './rlp.ts'
export * from './sampling.ts'
export {
  collectNew,
  emptyTable,
  encodedEntries,
  loadTable,
  type NodeRow,
  replacedNodes,
  type Table,
  type TableCodec,
  tableCodec,
} from './table.ts'
export { CorruptNodeError } from './table-codec.ts'
export type { NodeReader } from './table-node.ts'
export { verifyTableProof } from './table-proof.ts'
export * from './units.ts'
export * from './vrf.ts'
export type { EdwardsPoints } from './vrf-points.ts'
