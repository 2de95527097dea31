export type { ConsensusDecision, ConsensusEngine, ConsensusStatus } from './engine.ts'
export {
  afterCall,
  beforeStart,
  type Call,
  CallOutOfOrderError,
  checkCalls,
  type GrammarState,
} from './grammar.ts'
