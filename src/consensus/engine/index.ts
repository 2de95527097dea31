export type { ConsensusDecision, ConsensusEngine, ConsensusStatus, Hold } from './engine.ts'
export {
  afterCall,
  beforeStart,
  type Call,
  CallOutOfOrderError,
  checkCalls,
  type GrammarState,
} from './grammar.ts'
export { submissionVerdict } from './submission.ts'
