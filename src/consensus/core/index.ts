export * from './catch-up.ts'
export * from './driver.ts'
export * from './journal.ts'
export { paperLines } from './round.ts'
export {
  type CoreState,
  createCore,
  type FutureMessage,
  referencedValues,
} from './state.ts'
export * from './types.ts'
export * from './validators.ts'
