export {
  type Binding,
  bindings,
  capacityWorth,
  describeBinding,
  type Names,
} from './binding.ts'
export { BadProgrammeError, createProgramme, type Fault } from './check-programme.ts'
export { dualValue, type PrimalValue, primalValue } from './evaluate.ts'
export { type Candidate, gradient, type KktResiduals, kktResiduals, lagrangian } from './kkt.ts'
export * from './nash.ts'
export * from './payment.ts'
export { poolOptimum } from './pool-optimum.ts'
export {
  type Allocation,
  fromDense,
  type Groups,
  type Prices,
  type Programme,
  type ProgrammeParts,
  type Resource,
  type Security,
  toDense,
} from './programme.ts'
export { type SecondOrder, secondOrder, stepLimit } from './second-order.ts'
export * from './sequencer-metrics.ts'
export { type Shares, toShares } from './shares.ts'
export * from './solution.ts'
export { type SolveOptions, solve } from './solver/solve.ts'
export {
  type Study,
  type StudyMethod,
  type StudyOptions,
  type StudyPoint,
  study,
} from './study/study.ts'
export * from './utility.ts'
